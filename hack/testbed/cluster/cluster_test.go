package cluster

import (
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/hack/testbed/project"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

func one(t *testing.T, name string) *Cluster {
	t.Helper()
	f := &topology.Testbed{Name: "trade", Dir: "/clone/.testbed",
		Allow: []project.Port{{Port: 6443, NodePort: topology.APIPort, Clusters: []string{"hub"}}}}
	links := []topology.Link{{A: "org1", B: "hub"}, {A: "org1", B: "org2"}, {A: "org2", B: "hub"}}
	if err := f.Grow([]string{"hub", "org1", "org2"}, links, func(int) bool { return false }); err != nil {
		t.Fatal(err)
	}
	c, err := f.Cluster(name)
	if err != nil {
		t.Fatal(err)
	}
	return &Cluster{Cluster: c, Testbed: f, Dir: "/data/" + name}
}

func TestServerHosts(t *testing.T) {
	tests := []struct {
		why, cluster, host string
		want               bool
	}{
		{"pods ask for the service", "org1", topology.KubernetesService, true},
		{"the machine asks over the management veth", "org1", "10.213.0.6", true},
		{"others reach it at its end of their line", "hub", "10.200.0.2", true},
		{"each at its own", "hub", "10.200.0.10", true},
		{"nobody reaches an API over a line that does not lead to it", "org1", "10.200.0.1", false},
	}
	for _, tt := range tests {
		c := one(t, tt.cluster)
		if got := slices.Contains(ServerHosts(c.Testbed, c.Cluster), tt.host); got != tt.want {
			t.Errorf("%s: %s in the certificate of %s: %v", tt.why, tt.host, tt.cluster, got)
		}
	}
}

func TestKubeletConfiguration(t *testing.T) {
	content, err := render("kubelet.yaml", one(t, "org1").settings())
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := yaml.UnmarshalStrict(content, &config); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		why  string
		path []string
		want any
	}{
		{"nobody asks a kubelet anything without a name", []string{"authentication", "anonymous", "enabled"}, false},
		{"the API server decides who may", []string{"authorization", "mode"}, "Webhook"},
		{"pods live in the cluster's own cgroup, where they are found again", []string{"cgroupRoot"}, "/testbed/trade/org1"},
		{"logs stay in the cluster's directory", []string{"podLogsDir"}, "/data/org1/pod-logs"},
		{"cgroup v1 will do", []string{"failCgroupV1"}, false},
	}
	for _, tt := range tests {
		if got, _, err := unstructured.NestedFieldNoCopy(config, tt.path...); err != nil || got != tt.want {
			t.Errorf("%s: %v is %v (%v)", tt.why, tt.path, got, err)
		}
	}
}

func TestTemplatesLeaveNothingOut(t *testing.T) {
	for _, each := range parsed.Templates() {
		content, err := render(each.Name(), one(t, "hub").settings())
		if err != nil || strings.Contains(string(content), "no value") || strings.Contains(string(content), `""}`) {
			t.Errorf("%s: %v\n%s", each.Name(), err, content)
		}
	}
}

func TestReadySince(t *testing.T) {
	moment := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		why, status, heartbeat string
		ok                     bool
	}{
		{"the kubelet has said so since", "True", "2026-01-01T12:00:01Z", true},
		{"within the same second it may have", "True", "2026-01-01T12:00:00Z", true},
		{"what it said before a restart does not count", "True", "2026-01-01T11:59:59Z", false},
		{"it says that it is not", "False", "2026-01-01T12:00:01Z", false},
		{"it has said nothing", "Unknown", "", false},
	}
	for _, tt := range tests {
		node := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"conditions": []any{
			map[string]any{"type": "Ready", "status": tt.status, "lastHeartbeatTime": tt.heartbeat, "message": "m"}}}}}
		if err := readySince(moment)(node); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.why, err)
		}
	}
}

func TestHasCapability(t *testing.T) {
	tests := []struct {
		why, status string
		want        bool
	}{
		{"root with everything", "Name:\ttestbed\nCapEff:\t000001ffffffffff\n", true},
		{"root in a container without CAP_SYS_RESOURCE", "CapEff:\t000001fffeffffff\n", false},
		{"a kernel that does not say", "Name:\ttestbed\n", false},
	}
	for _, tt := range tests {
		if got := hasCapability(tt.status, sysResource); got != tt.want {
			t.Errorf("%s: got %v", tt.why, got)
		}
	}
}
