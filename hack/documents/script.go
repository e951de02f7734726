package documents

import "fmt"

// Script is one shell's script of the blocks of a page that are to be run, and the number of their commands. A command runs with
// the kubeconfig of the host or of an organization's cluster, as the remark behind it or else the block's mark says.
func Script(blocks []Block, host, there string) (script string, commands int) {
	kubeconfig := map[string]string{"host": host, "there": there}
	script = "set -euo pipefail\n"
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
			if command.Where != "" {
				command.Text = fmt.Sprintf("(\nexport KUBECONFIG=%s\n%s\n)", kubeconfig[command.Where], command.Text)
			}
			script += command.Text + "\n"
		}
	}
	return script, commands
}
