package invite

import (
	"fmt"
	"io"
	"time"
)

// Invitation is what `kubectl hanse invite -o json` prints. Whoever reads it can register the Member's agent until it expires:
// it holds the token, as Command does.
type Invitation struct {
	Member string `json:"member"`
	// MSPID is the organization's name on the ledger if it is not the usual one.
	MSPID string `json:"mspID,omitempty"`
	// Server is the URL of the host's API server as the organization reaches it, and CA the authority behind it in PEM.
	Server string `json:"server"`
	CA     string `json:"ca"`
	// Token is good for one agent until Expires.
	Token   string `json:"token"`
	Expires string `json:"expires"`
	// Chart of the member agent, and Command, for a shell, that installs it.
	Chart   string `json:"chart"`
	Command string `json:"command"`
}

// print prints the command, or the document that has it.
func (o options) print(out io.Writer, i Installation, now time.Time) error {
	command, err := i.Command()
	if err != nil {
		return err
	}
	if o.format.ForPeople() {
		_, err = fmt.Fprint(out, command)
		return err
	}
	return o.format.Print(out, "Invitation", &Invitation{
		Member: i.Member, MSPID: i.MSPID, Server: i.Server, CA: string(i.CA), Token: i.Token,
		Expires: now.Add(o.ttl).UTC().Format(time.RFC3339), Chart: i.Chart, Command: command,
	})
}
