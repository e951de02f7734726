package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

// settle declares what change makes of the spec, and lets the agents see the plans that come of it.
func (w *rolloutFixture) settle(change func(*v1alpha1.ConsortiumSpec)) {
	change(&w.in.Consortium.Spec)
	w.plan()
	w.report()
}

func TestSettingsRollout(t *testing.T) {
	debug := func(spec *v1alpha1.ConsortiumSpec) { spec.Nodes.PeerLogLevel = "debug" }
	for _, c := range []struct {
		why     string
		run     func(*rolloutFixture)
		changes []string
		says    string // the rollout's message, at the end
	}{
		{"a log level reaches the peers of all members, one by one", func(w *rolloutFixture) { w.settle(debug) },
			[]string{"peer0-a p1 debug", "peer0-b p1 debug", "peer0-c p1 debug"}, ""},
		{"orderers come first", func(w *rolloutFixture) {
			w.settle(func(spec *v1alpha1.ConsortiumSpec) { debug(spec); spec.Nodes.OrdererLogLevel = "error" })
		}, []string{"orderer0-a o1 error", "orderer0-b o1 error", "orderer0-c o1 error", "peer0-a p1 debug", "peer0-b p1 debug", "peer0-c p1 debug"}, ""},
		{"one member's own reaches its nodes only", func(w *rolloutFixture) {
			w.settle(func(spec *v1alpha1.ConsortiumSpec) {
				spec.Members[1].Nodes = &v1alpha1.NodeSettings{PeerLogLevel: "debug"}
			})
		}, []string{"peer0-b p1 debug"}, ""},
		{"back to the default, one by one", func(w *rolloutFixture) {
			w.settle(debug)
			w.runUntilStable()
			w.changes = nil
			w.settle(func(spec *v1alpha1.ConsortiumSpec) { spec.Nodes.PeerLogLevel = "" })
		}, []string{"peer0-a p1", "peer0-b p1", "peer0-c p1"}, ""},
		{"with an image in one restart", func(w *rolloutFixture) {
			w.settle(func(spec *v1alpha1.ConsortiumSpec) { debug(spec); spec.Ledger.Fabric.PeerImage = "p2" })
		}, []string{"peer0-a p2 debug", "peer0-b p2 debug", "peer0-c p2 debug"}, ""},
		{"what does not work stops at the first node, which goes back", func(w *rolloutFixture) {
			w.broken["debug"] = true
			w.settle(debug)
			w.step()
			w.now = w.now.Add(time.Hour)
		}, []string{"peer0-a p1 debug", "peer0-a p1"}, "CrashLoopBackOff"},
		{"no orderer goes while another one is not there", func(w *rolloutFixture) {
			w.online("c", false)
			w.settle(func(spec *v1alpha1.ConsortiumSpec) { spec.Nodes.OrdererLogLevel = "debug" })
		}, nil, "too few orderers would be left"},
		{"a new peer begins with the settings of its own member", func(w *rolloutFixture) {
			w.settle(debug)
			w.decide()
			w.plan()
			w.settle(func(spec *v1alpha1.ConsortiumSpec) {
				spec.Members[2].Peers, spec.Members[2].Nodes = ptr.To[int32](2), &v1alpha1.NodeSettings{PeerLogLevel: "error"}
			})
		}, []string{"peer0-a p1 debug", "peer1-c p1 error", "peer0-b p1 debug", "peer0-c p1 error"}, ""},
		{"beyond an organization's limits: the first node goes back at once", func(w *rolloutFixture) {
			w.settle(debug)
			w.decide()
			w.plan()
			p := w.in.Plans["a"]
			p.Status.Conditions = []metav1.Condition{{
				Type: v1alpha1.PlanMirrored, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonLimitExceeded,
				Message: "the plan asks for more than this organization allows", ObservedGeneration: p.Generation,
			}}
			w.decide()
			w.plan()
		}, []string{"peer0-a p1 debug", "peer0-a p1"}, "a: the plan asks for more than this organization allows"},
	} {
		t.Run(c.why, func(t *testing.T) {
			w := threeMembers(t)
			c.run(w)
			w.runUntilStable()
			if !slices.Equal(w.changes, c.changes) {
				t.Errorf("changed %q, want %q", w.changes, c.changes)
			}
			said := ""
			if r := w.in.Consortium.Status.Rollout; r != nil {
				said = r.Message
			}
			if !strings.Contains(said, c.says) || (c.says == "") != (w.in.Consortium.Status.Rollout == nil) {
				t.Errorf("says %q, want %q", said, c.says)
			}
		})
	}
}

// settingChanges change each field that can be changed on a running consortium.
var settingChanges = map[string]func(*v1alpha1.ConsortiumSpec){
	"members[].peers":             func(s *v1alpha1.ConsortiumSpec) { s.Members[0].Peers = ptr.To[int32](2) },
	"nodes.storage.size":          func(s *v1alpha1.ConsortiumSpec) { s.Nodes.Storage.Size = ptr.To(resource.MustParse("20Gi")) },
	"nodes.storage.className":     func(s *v1alpha1.ConsortiumSpec) { s.Nodes.Storage.ClassName = "fast" },
	"nodes.storage.reclaimPolicy": func(s *v1alpha1.ConsortiumSpec) { s.Nodes.Storage.ReclaimPolicy = v1alpha1.ReclaimDelete },
	"nodes.peerResources":         func(s *v1alpha1.ConsortiumSpec) { s.Nodes.PeerResources = memory("1Gi") },
	"nodes.ordererResources":      func(s *v1alpha1.ConsortiumSpec) { s.Nodes.OrdererResources = memory("1Gi") },
	"nodes.peerLogLevel":          func(s *v1alpha1.ConsortiumSpec) { s.Nodes.PeerLogLevel = "debug" },
	"nodes.ordererLogLevel":       func(s *v1alpha1.ConsortiumSpec) { s.Nodes.OrdererLogLevel = "debug" },
	"nodes.extraSANs":             func(s *v1alpha1.ConsortiumSpec) { s.Nodes.ExtraSANs = []string{"peers.example.com"} },
	"progressDeadlineSeconds":     func(s *v1alpha1.ConsortiumSpec) { s.ProgressDeadlineSeconds = ptr.To[int32](60) },
	"ledger.fabric.peerImage":     func(s *v1alpha1.ConsortiumSpec) { s.Ledger.Fabric.PeerImage = "p2" },
	"ledger.fabric.ordererImage":  func(s *v1alpha1.ConsortiumSpec) { s.Ledger.Fabric.OrdererImage = "o2" },
	"ledger.fabric.couchDBImage":  func(s *v1alpha1.ConsortiumSpec) { s.Ledger.Fabric.CouchDBImage = "c2" },
	"ledger.fabric.acceptedLine":  func(s *v1alpha1.ConsortiumSpec) { s.Ledger.Fabric.AcceptedLine = "3.2" },
}

func memory(limit string) *corev1.ResourceRequirements {
	return &corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(limit)}}
}

// TestSettingsAreAsTheTableSays goes through docs/settings.md: what restarts nodes waits to be rolled out, and what does not
// is in the plans at once, with what the nodes are started with as it was.
func TestSettingsAreAsTheTableSays(t *testing.T) {
	// A certificate's names are in the plans at once; the agents restart the nodes once it has been issued.
	const byCertificate = "nodes.extraSANs"
	for _, setting := range (planner.Planner{}).Settings() {
		change, known := settingChanges[setting.Path]
		if setting.Effect == ledger.EffectFixed {
			if known {
				t.Errorf("%s is fixed, and there is a change of it", setting.Path)
			}
			continue
		}
		if !known {
			t.Errorf("%s is said to be changeable (%s), and no change is known: add one to settingChanges", setting.Path, setting.Effect)
			continue
		}
		w := threeMembers(t)
		w.in.Consortium.Spec.Nodes.StateDatabase = v1alpha1.StateCouchDB
		w.in.Plans = map[string]*v1alpha1.MemberPlan{}
		w.step()
		w.settle(change)
		w.decide()
		rollout := w.in.Consortium.Status.Rollout
		if want := setting.Effect == ledger.EffectRestart && setting.Path != byCertificate; (rollout != nil && rollout.Node != "") != want {
			t.Errorf("%s: a roll is requested: %+v, want %v", setting.Path, rollout, want)
		}
	}
}
