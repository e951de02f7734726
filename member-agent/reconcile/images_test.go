package reconcile

import (
	"context"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
	"github.com/hanse-io/hanse/member-agent/identity"
	agentledger "github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/nodes"
	"github.com/hanse-io/hanse/member-agent/policy"
	"github.com/hanse-io/hanse/member-agent/statements"
)

const (
	goodPeer, evilPeer         = "docker.io/hyperledger/fabric-peer:3.1.4", "docker.io/hyperledger/fabric-peer-evil:1"
	goodContract, evilContract = "ghcr.io/hanse-io/contract-notary:0.1.0", "evil.io/notary:1"
)

func newTestReconciler() *Reconciler {
	return &Reconciler{ledgers: newLedgerController(nil, nil), Options: Options{
		Member: "org1", NodeImages: planner.Planner{}.Description().Images, ContractImages: policy.DefaultContractImages,
	}}
}

func TestValidateWorkloads(t *testing.T) {
	pod := func(images ...string) (containers []corev1.Container) {
		for _, image := range images {
			containers = append(containers, corev1.Container{Image: image})
		}
		return containers
	}
	node, contract := &v1alpha1.PlanNode{}, &v1alpha1.PlanContract{}
	for _, row := range []struct {
		why      string
		workload ledger.Workload
		refused  string
	}{
		{"a node as it should be", ledger.Workload{Node: node, Pod: corev1.PodSpec{Containers: pod(goodPeer)}}, ""},
		{"a node with an evil image",
			ledger.Workload{Node: node, Pod: corev1.PodSpec{Containers: pod(evilPeer)}},
			"org1 does not allow the image " + evilPeer + " for its nodes: add it to policy.nodeImages of the member-agent chart, or change the Consortium"},
		{"an evil image beside a good one", ledger.Workload{Node: node, Pod: corev1.PodSpec{Containers: pod(goodPeer, evilPeer)}}, evilPeer},
		{"an evil image that runs first", ledger.Workload{Node: node, Pod: corev1.PodSpec{InitContainers: pod(evilPeer), Containers: pod(goodPeer)}}, evilPeer},
		{"a contract's image for a node", ledger.Workload{Node: node, Pod: corev1.PodSpec{Containers: pod(goodContract)}}, "policy.nodeImages"},
		{"a contract as it should be", ledger.Workload{Contract: contract, Pod: corev1.PodSpec{Containers: pod(goodContract)}}, ""},
		{"a contract with an evil image", ledger.Workload{Contract: contract, Pod: corev1.PodSpec{Containers: pod(evilContract)}}, "policy.contractImages"},
	} {
		t.Run(row.why, func(t *testing.T) {
			got := newTestReconciler().validateWorkloads(&v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{Member: "org1"}}, []ledger.Workload{row.workload})[0].Refused
			if (got == "") != (row.refused == "") || !strings.Contains(got, row.refused) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// TestValidateDeclaredImages: an organization says what it does not allow of the images that are declared before its nodes are given
// them, and nothing of those that none of its nodes will ever run.
func TestValidateDeclaredImages(t *testing.T) {
	for _, row := range []struct {
		why     string
		fabric  *v1alpha1.FabricSpec
		change  func(*v1alpha1.MemberPlanSpec)
		refused string
	}{
		{"the engine's own images", nil, nil, ""},
		{"a peer's image that no node has yet", &v1alpha1.FabricSpec{PeerImage: evilPeer}, nil, evilPeer},
		{"an orderer's image", &v1alpha1.FabricSpec{OrdererImage: evilPeer}, nil, evilPeer},
		{"an orderer's image, where there is no orderer", &v1alpha1.FabricSpec{OrdererImage: evilPeer},
			func(p *v1alpha1.MemberPlanSpec) { p.Nodes = p.Nodes[1:] }, ""},
		{"a state database's image, where peers have LevelDB", &v1alpha1.FabricSpec{CouchDBImage: evilPeer}, nil, ""},
		{"a state database's image", &v1alpha1.FabricSpec{CouchDBImage: evilPeer},
			func(p *v1alpha1.MemberPlanSpec) { p.Nodes[1].StateDatabase = v1alpha1.StateCouchDB }, evilPeer},
		{"an image that nodes still have, and that is not declared any more", &v1alpha1.FabricSpec{PeerImage: goodPeer},
			func(p *v1alpha1.MemberPlanSpec) { p.Nodes[1].Image = evilPeer }, ""},
		{"a contract's image is not a node's", nil,
			func(p *v1alpha1.MemberPlanSpec) {
				p.Contracts = []v1alpha1.PlanContract{{Name: "notary", Channel: "settlement", Image: evilContract}}
			}, ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			r := newTestReconciler()
			r.Driver = fabric.New(fabric.Options{})
			plan := approvalPlan(v1alpha1.PlanContract{})
			plan.Spec.Contracts, plan.Spec.Namespace = nil, "hanse-trade"
			plan.Spec.Ledger.Fabric = row.fabric
			plan.Spec.Nodes = []v1alpha1.PlanNode{
				{Name: "orderer0-org1", Role: v1alpha1.RoleOrderer, Image: "docker.io/hyperledger/fabric-orderer:3.1.4"},
				{Name: "peer0-org1", Role: v1alpha1.RolePeer, Image: goodPeer, StateDatabaseImage: "docker.io/library/couchdb:3.4"},
			}
			if row.change != nil {
				row.change(&plan.Spec)
			}
			before := plan.DeepCopy()
			got := r.validateDeclaredImages(plan, nil)
			if (got == "") != (row.refused == "") || !strings.Contains(got, row.refused) {
				t.Errorf("got %q", got)
			}
			if !equality.Semantic.DeepEqual(before, plan) {
				t.Error("the plan itself was changed")
			}
		})
	}
}

// fixedNodes find the nodes as they are told to.
type fixedNodes struct {
	Nodes
	result nodes.Result
}

func (n fixedNodes) Ensure(context.Context, client.Reader, *v1alpha1.MemberPlan, []ledger.Workload, map[string]string) (nodes.Result, error) {
	return n.result, nil
}

func TestNodesReadyReportsForbiddenImages(t *testing.T) {
	for _, row := range []struct {
		why             string
		declared        string
		result          nodes.Result
		reason, message string
	}{
		{"nothing is refused", goodPeer, nodes.Result{}, v1alpha1.ReasonReady, "0 nodes run"},
		{"the nodes run, and what is declared is refused", evilPeer, nodes.Result{}, v1alpha1.ReasonImageNotAllowed, "org1 does not allow the image " + evilPeer},
		{"a node does not run either, which is said as well", evilPeer, nodes.Result{Reason: v1alpha1.ReasonImagePull, Message: "peer0-org1: it ends"},
			v1alpha1.ReasonImageNotAllowed, "or change the Consortium; peer0-org1: it ends"},
		{"a node has been given it: that is said once", evilPeer, nodes.Result{Reason: v1alpha1.ReasonImageNotAllowed, Message: "peer0-org1: refused"},
			v1alpha1.ReasonImageNotAllowed, "peer0-org1: refused"},
		{"a node does not run", goodPeer, nodes.Result{Reason: v1alpha1.ReasonImagePull, Message: "peer0-org1: it ends"}, v1alpha1.ReasonImagePull, "peer0-org1: it ends"},
	} {
		t.Run(row.why, func(t *testing.T) {
			r := newTestReconciler()
			r.Driver, r.Nodes = fabric.New(fabric.Options{}), fixedNodes{result: row.result}
			plan := approvalPlan(v1alpha1.PlanContract{})
			plan.Spec.Contracts, plan.Spec.Namespace = nil, "hanse-trade"
			plan.Spec.Ledger.Fabric = &v1alpha1.FabricSpec{PeerImage: row.declared}
			plan.Spec.Nodes = []v1alpha1.PlanNode{{Name: "peer0-org1", Role: v1alpha1.RolePeer, Image: goodPeer}}
			p := newProgress(plan)
			if _, err := r.nodes(t.Context(), p, nil, identity.Issued{}); err != nil {
				t.Fatal(err)
			}
			c := meta.FindStatusCondition(p.status.Conditions, v1alpha1.PlanNodesReady)
			if c.Reason != row.reason || !strings.Contains(c.Message, row.message) {
				t.Errorf("%s: %q", c.Reason, c.Message)
			}
			if got := strings.Count(c.Message, "does not allow"); got > 1 {
				t.Errorf("said %d times: %s", got, c.Message)
			}
		})
	}
}

// recordingLedger is a ledger that remembers which contracts it was given, and finds everything done.
type recordingLedger struct{ given chan []string }

func (a recordingLedger) Forget(context.Context, *v1alpha1.MemberPlan) error { return nil }

func (a recordingLedger) Advance(_ context.Context, in agentledger.Input) agentledger.Progress {
	out := agentledger.Progress{ChannelsReady: agentledger.Outcome{Ready: true}, ContractsReady: agentledger.Outcome{Ready: true}}
	var names []string
	for _, c := range in.Plan.Spec.Contracts {
		names = append(names, c.Name)
		out.Contracts = append(out.Contracts, v1alpha1.PlanContractStatus{Name: c.Name, Channel: c.Channel, Approved: 1})
	}
	a.given <- names
	return out
}

func TestForbiddenContracts(t *testing.T) {
	contract := func(name, channel, image string) v1alpha1.PlanContract {
		return v1alpha1.PlanContract{Name: name, Channel: channel, Image: image}
	}
	good := contract("asset", "settlement", goodContract)
	for _, row := range []struct {
		why       string
		contracts []v1alpha1.PlanContract
		given     []string
		reason    string
		message   string
	}{
		{"what is allowed goes to the ledger", []v1alpha1.PlanContract{good}, []string{"asset"}, v1alpha1.ReasonReady, ""},
		{"what is refused does not, and keeps no other", []v1alpha1.PlanContract{good, contract("notary", "settlement", evilContract)},
			[]string{"asset"}, v1alpha1.ReasonImageNotAllowed, "contract notary on settlement: org1 does not allow the image " + evilContract},
		{"a channel without this member is none of its business", []v1alpha1.PlanContract{good, contract("notary", "freight", evilContract)},
			[]string{"asset"}, v1alpha1.ReasonReady, ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			r := newTestReconciler()
			r.base, r.Statements = t.Context(), &statements.Store{}
			given, woken := make(chan []string, 1), 0
			r.problems = newProblemGauge(nil)
			r.ledgers = newLedgerController(recordingLedger{given}, func(string) { woken++ })
			plan := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{
				Member: "org1", Contracts: row.contracts,
				Channels: []v1alpha1.PlanChannel{{Name: "settlement", Members: []string{"org1"}}, {Name: "freight", Members: []string{"org2"}}},
			}}
			// What was reached before the image was changed is not forgotten.
			plan.Status.Contracts = []v1alpha1.PlanContractStatus{{Name: "notary", Channel: "settlement", Approved: 3}}
			running := nodes.Result{Contracts: []nodes.Contract{
				{Name: "asset", Channel: "settlement", Running: true}, {Name: "notary", Channel: "settlement", Refused: true, Message: "refused"},
			}}
			records := map[string]v1alpha1.Record{"org1": {}}
			r.ledger(newProgress(plan), nil, records, running)
			again, err := r.ledgers.Reconcile(t.Context(), (<-r.ledgers.changed).Object)
			if err != nil || again.RequeueAfter != idleInterval {
				t.Errorf("run again after %s: %v", again.RequeueAfter, err)
			}
			if got := <-given; !slices.Equal(got, row.given) {
				t.Errorf("the ledger was given %v", got)
			}
			p := newProgress(plan)
			r.ledger(p, nil, records, running)
			if len(r.ledgers.changed) > 0 || woken != 1 {
				t.Errorf("what has not changed is news; woken %d times", woken)
			}
			c := meta.FindStatusCondition(p.status.Conditions, v1alpha1.PlanContractsReady)
			if c.Reason != row.reason || !strings.HasPrefix(c.Message, row.message) {
				t.Errorf("ContractsReady %s: %s", c.Reason, c.Message)
			}
			for _, s := range p.status.Contracts {
				if s.Name == "notary" && (s.Reason != row.reason || s.Approved != 3 || s.Running || !strings.Contains(s.Message, evilContract)) {
					t.Errorf("got %+v", s)
				}
			}
			if refused := row.reason != v1alpha1.ReasonReady; refused != (len(p.status.Contracts) == 2) {
				t.Errorf("got %+v", p.status.Contracts)
			}
			if len(plan.Spec.Contracts) != len(row.contracts) {
				t.Error("the plan itself was changed")
			}
		})
	}
}
