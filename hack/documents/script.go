package documents

import (
	"fmt"
	"regexp"
	"strings"
)

// named are the names in capitals that runbooks have in place of a reader's own, and what a testbed has.
var named = map[string]string{
	"CONSORTIUM": "trade", "MEMBER": "org1", "LINE": "org1-org2", "NODE-0": "peer0-org1-0", "PEER-0": "peer0-org1-0",
	"ORDERER-0": "orderer0-org1-0", "NAMESPACE": "hanse-trade", "CERTIFICATE": "peer0-org1-tls", "OTHER": "org2",
}

var capitals = regexp.MustCompile(`\b[A-Z]{2,}(-0)?\b`)

// begin is how each script begins. That grep finds nothing is an answer too.
const begin = `set -euo pipefail
grep() { command grep "$@" || [ $? = 1 ]; }
`

// Script is one shell's script of the blocks of a page that are to be run, and the number of their commands. A command runs with
// the kubeconfig of the host or of an organization's cluster, as the remark behind it or else the block's mark says.
func Script(blocks []Block, host, there string) (script string, commands int) {
	kubeconfig := map[string]string{"host": host, "there": there}
	script = begin
	for _, block := range blocks {
		if block.Test == nil || block.Test.Kind != Run && block.Test.Kind != DryRun {
			continue
		}
		usual := host
		if block.Test.There {
			usual = there
		}
		script += fmt.Sprintf("echo '── %s' >&2\nexport KUBECONFIG=%s\n", block, usual)
		for _, command := range block.Commands() {
			commands++
			if block.Test.Kind == DryRun {
				command = command.AsDryRun()
			}
			if strings.HasPrefix(block.Page, "docs/runbooks/") {
				command.Text = capitals.ReplaceAllStringFunc(command.Text, func(name string) string {
					if own, found := named[name]; found {
						return own
					}
					return name
				})
			}
			if command.Where != "" {
				command.Text = fmt.Sprintf("(\nexport KUBECONFIG=%s\n%s\n)", kubeconfig[command.Where], command.Text)
			}
			script += command.Text + "\n"
		}
	}
	return script, commands
}
