package invite

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"strings"
	"text/template"
)

// Installation is what an organization needs to install its agent.
type Installation struct {
	Member string
	// MSPID is the organization's name on the ledger; empty for the usual one.
	MSPID string
	// Server is the URL at which the organization reaches the host's API server.
	Server string
	// CA is the PEM of the authority behind Server's certificate.
	CA []byte
	// Token is good for one certificate request.
	Token string
	// Chart is a chart reference or a folder.
	Chart string
	// Replace is set where the organization may have the release already.
	Replace bool
}

// The values go through standard input, so that the token shows neither in the process list nor in a shell's history.
// Where there is a release already, its values stay as the organization has set them: its policy is no business of the
// host's. Helm knows --reset-then-reuse-values from 3.14 on; an older one refuses it, and changes nothing.
var command = template.Must(template.New("helm").Parse(`helm {{if .Replace}}upgrade --install --reset-then-reuse-values{{else}}install{{end}} member-agent {{.Chart}} --namespace hanse-system --create-namespace --values - <<'EOF'
member:
  name: {{.Member}}
{{- with .MSPID}}
  mspID: {{.}}
{{- end}}
host:
  server: {{.Server}}
  caData: {{.CAData}}
bootstrap:
  token: {{.Token}}
EOF
`))

// Command is the one shell command that the organization runs in its own cluster.
func (i Installation) Command() (string, error) {
	server, err := url.Parse(i.Server)
	if err != nil || server.Scheme != "https" || server.Host == "" {
		return "", fmt.Errorf("--host-server %q is no https URL: give the address at which the organization reaches the host's API server, such as https://10.0.0.1:6443", i.Server)
	}
	if !bytes.Contains(i.CA, []byte("BEGIN CERTIFICATE")) {
		return "", fmt.Errorf("no authority for %s: the kubeconfig has none, so give one with --host-ca-file", i.Server)
	}
	if strings.ContainsAny(i.Member+i.MSPID+i.Token+i.Chart, "\n'") {
		return "", fmt.Errorf("member, token and chart must not hold quotes or line breaks")
	}
	var out bytes.Buffer
	err = command.Execute(&out, struct {
		Installation
		CAData string
	}{i, base64.StdEncoding.EncodeToString(i.CA)})
	return out.String(), err
}

// nonce is a random text that names an invitation.
func nonce() string {
	buffer := make([]byte, 15)
	_, _ = rand.Read(buffer) // never fails, says crypto/rand
	return base64.RawURLEncoding.EncodeToString(buffer)
}

// readAuthority reads the named file, or else what the kubeconfig has, inline or as a file.
func readAuthority(file string, inline []byte, inlineFile string) ([]byte, error) {
	if file == "" && len(inline) > 0 {
		return inline, nil
	}
	if file == "" {
		file = inlineFile
	}
	if file == "" {
		return nil, nil
	}
	return os.ReadFile(file)
}
