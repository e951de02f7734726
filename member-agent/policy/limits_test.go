package policy

import (
	"strings"
	"testing"
)

func TestExceeded(t *testing.T) {
	limits, err := ParseLimits(map[string]string{
		LimitConsortia: "3", LimitNodes: "10", LimitContracts: "4", LimitPlanBytes: "1Ki", LimitTotalPlanBytes: "2Ki",
		LimitStorage: "1Gi", LimitPodCPU: "1500m", LimitPodMemory: "1Gi",
	})
	if err != nil {
		t.Fatal(err)
	}
	two := []Usage{{Bytes: 512, Nodes: 4}, {Bytes: 512, Nodes: 4}}
	for _, row := range []struct {
		why    string
		next   Usage
		before *Usage
		others []Usage
		want   string
	}{
		{"within every limit", Usage{Bytes: 1024, Nodes: 2, Contracts: 4, Storage: 1 << 30, PodMilliCPU: 1500, PodMemory: 1 << 30}, nil, two, ""},
		{"one consortium too many", Usage{}, nil, append(two, Usage{}), LimitConsortia},
		{"a consortium that there is already is not one more", Usage{}, &Usage{}, append(two, Usage{}, Usage{}), ""},
		{"a plan that is too large", Usage{Bytes: 1025}, nil, nil, LimitPlanBytes},
		{"plans that are too large together", Usage{Bytes: 1024}, nil, []Usage{{Bytes: 1025}}, LimitTotalPlanBytes},
		{"too many nodes together", Usage{Nodes: 3}, nil, two, LimitNodes},
		{"too many contracts", Usage{Contracts: 5}, nil, nil, LimitContracts},
		{"too much storage", Usage{Storage: 1<<30 + 1}, nil, nil, LimitStorage},
		{"a node that asks for too many cores", Usage{PodMilliCPU: 1501}, nil, nil, LimitPodCPU},
		{"a node that asks for too much memory", Usage{PodMemory: 1<<30 + 1}, nil, nil, LimitPodMemory},
		{"the limit was lowered: what there is goes on", Usage{Nodes: 20}, &Usage{Nodes: 20}, two, ""},
		{"and may shrink", Usage{Nodes: 19}, &Usage{Nodes: 20}, two, ""},
		{"but not grow", Usage{Nodes: 21}, &Usage{Nodes: 20}, two, LimitNodes},
	} {
		t.Run(row.why, func(t *testing.T) {
			got, why := limits.Exceeded(row.next, row.before, row.others)
			if got != row.want {
				t.Errorf("got %q (%s), want %q", got, why, row.want)
			}
			if got != "" && !strings.Contains(why, "policy.limits."+got) {
				t.Errorf("%q does not say how to fix it", why)
			}
		})
	}
}

func TestParseLimits(t *testing.T) {
	for text, fine := range map[string]bool{"64": true, "2Ti": true, "0": false, "-1": false, "many": false, "": false} {
		if _, err := ParseLimits(map[string]string{LimitNodes: text}); (err == nil) != fine {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := ParseLimits(map[string]string{"node": "1"}); err == nil || !strings.Contains(err.Error(), "nodes") {
		t.Errorf("a limit that does not exist: %v", err)
	}
}
