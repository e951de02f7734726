//go:build e2e

package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/stage"
)

// approvalWanted is what the agent asks a person to say of a contract's definition.
var approvalWanted = regexp.MustCompile(`approval\.federation\.hanse\.io/\S+=[0-9a-f]{64}\b`)

// approvedByHand has one organization approve contracts by hand: what the host declares waits for a person there, what
// runs runs on, and what the person has approved is done.
func approvedByHand(t *testing.T, s *stage.Stage) {
	careful := s.Members[len(s.Members)-1]
	load := start(t, s, s.Members[0], "by-hand")
	before := workloads(t, s)[careful]
	approval := func(how string) {
		must2(t)(s.Helm(t.Context(), careful, "upgrade", "member-agent", "charts/member-agent", "--namespace", "hanse-system",
			"--reuse-values", "--set", "policy.contractApproval="+how, "--wait", "--timeout", "5m"))
	}
	approval("ByHand")
	said := func() (string, error) {
		return look(t, s, "host", `{.status.conditions[?(@.type=="ContractsReady")]['status','reason']}`, "-n", "hanse-member-"+careful, "memberplan", "trade")
	}
	eventually(t, careful+" asks for its own people's word, and tells the host", func() error {
		got, err := said()
		if err == nil && got != "False NotApproved" {
			err = fmt.Errorf("ContractsReady: %s", got)
		}
		return err
	})
	load.goesOn(t, 1)
	if now := workloads(t, s)[careful]; now != before {
		t.Errorf("what runs was changed from\n%s\nto\n%s", before, now)
	}
	eventually(t, "what a person there approves is done", func() error {
		asked, err := look(t, s, careful, `{.status.contracts[*].message}`, "-n", "hanse-system", "memberplan", "trade")
		if err != nil {
			return err
		}
		for _, word := range approvalWanted.FindAllString(asked, -1) {
			if _, err := s.Kubectl(t.Context(), careful, "-n", "hanse-system", "annotate", "--overwrite", "memberplan", "trade", word); err != nil {
				return err
			}
		}
		got, err := said()
		if err == nil && !strings.HasPrefix(got, "True ") {
			err = fmt.Errorf("ContractsReady: %s; asked for: %s", got, asked)
		}
		return err
	})
	load.goesOn(t, 1)
	approval("Automatic")
	eventually(t, "the consortium is ready", isReady(t, s, "consortium", "trade"))
}
