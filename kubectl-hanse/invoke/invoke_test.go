package invoke

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/client-go/util/exec"
)

func TestReason(t *testing.T) {
	for _, row := range []struct {
		why, said string
		err       error
		want      string
		code      int
	}{
		{"the contract's reason is the error, and the pod is nobody's business", "Error: the contract refused: invoice-7 is there already (status 500)\n",
			exec.CodeExitError{Err: errors.New("command terminated with exit code 3"), Code: 3}, "the contract refused: invoice-7 is there already (status 500)", 3},
		{"a program that says nothing is named", "", exec.CodeExitError{Err: errors.New("x"), Code: 137}, "the agent in pod member-agent-0 ended with code 137", 137},
		{"a connection that broke is no word of the agent's", "", errors.New("websocket: close 1006"), "reach the agent's pod member-agent-0: websocket", 1},
	} {
		err := reason("member-agent-0", row.said, row.err)
		code := 1
		var chosen interface{ ExitCode() int }
		if errors.As(err, &chosen) {
			code = chosen.ExitCode()
		}
		if !strings.HasPrefix(err.Error(), row.want) || code != row.code {
			t.Errorf("%s: code %d, %v", row.why, code, err)
		}
	}
}
