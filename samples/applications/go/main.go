// Command application is an application of an organization's own: it writes the digest of a text to the ledger through
// its organization's peer, waits until that is committed, and reads it back. The folder is what
// `kubectl hanse env CONSORTIUM --identity user` writes.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
)

func main() {
	folder := flag.String("folder", "./application", "folder that `kubectl hanse env` has written")
	address := flag.String("address", "", "host:port at which the peer is reached; the one in the connection profile if empty")
	channel := flag.String("channel", "settlement", "channel")
	contract := flag.String("contract", "notary", "contract")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: application [flags] ID TEXT")
		os.Exit(2)
	}
	if err := run(*folder, *address, *channel, *contract, flag.Arg(0), flag.Arg(1)); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(folder, address, channel, contract, id, text string) error {
	gateway, closeAll, err := connect(folder, address)
	if err != nil {
		return err
	}
	defer closeAll()
	ledger := gateway.GetNetwork(channel).GetContract(contract)
	digest := sha256.Sum256([]byte(text))
	if _, err := ledger.Submit("Put", client.WithArguments(id, hex.EncodeToString(digest[:]), "sha256", "")); err != nil {
		return fmt.Errorf("write %s: %w", id, err)
	}
	fmt.Printf("%s is committed\n", id)
	record, err := ledger.Evaluate("Get", client.WithArguments(id))
	if err != nil {
		return fmt.Errorf("read %s: %w", id, err)
	}
	fmt.Printf("%s %s\n", time.Now().UTC().Format(time.RFC3339), record)
	return nil
}
