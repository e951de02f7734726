package invoke

import (
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"
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
		{"so is why", "", exec.CodeExitError{Err: errors.New("x"), Code: 137}, "the agent in pod member-agent-0 ended with code 137 and said nothing: it was killed", 137},
		{"warnings are no reason", "a warning\nError: channel deals has no contract notry; it has: notary\n",
			exec.CodeExitError{Err: errors.New("x"), Code: 1}, "channel deals has no contract notry; it has: notary", 1},
		{"a contract's own words may have lines", "Error: the contract refused: a\nError: b\n",
			exec.CodeExitError{Err: errors.New("x"), Code: 3}, "the contract refused: a\nError: b", 3},
		{"a right that is missing says which", "", &httpstream.UpgradeFailureError{Cause: apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "member-agent-0", errors.New("no"))},
			"run a command in the agent's pod member-agent-0 (create pods/exec): pods \"member-agent-0\" is forbidden: no; ask whoever", 1},
		{"what the API server says is the reason, without the name of the protocol", "", &httpstream.UpgradeFailureError{Cause: apierrors.NewBadRequest("pod does not have a host assigned")},
			"reach the agent's pod member-agent-0: pod does not have a host assigned", 1},
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
