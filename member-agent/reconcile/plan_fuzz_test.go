package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/routing"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
	"github.com/hanse-io/hanse/member-agent/host"
	"github.com/hanse-io/hanse/member-agent/identity"
	"github.com/hanse-io/hanse/member-agent/line"
	"github.com/hanse-io/hanse/member-agent/nodes"
	"github.com/hanse-io/hanse/member-agent/policy"
	"github.com/hanse-io/hanse/statement"
)

// planHarness takes a plan in as the agent of org1 does: from its JSON through the mirror and the checks to everything that
// pure functions make of it.
type planHarness struct {
	decoder    runtime.Decoder
	records    map[string]v1alpha1.Record
	keys       ledger.Keys
	reconciler *Reconciler
}

func newPlanHarness(t testing.TB) *planHarness {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	members, err := fabrictest.NewMembers("trade", fabrictest.Even(1, 1, "org1", "org2", "org3")...)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("../../ledger/fabric/testdata/records.json")
	if err != nil {
		t.Fatal(err)
	}
	records := map[string]v1alpha1.Record{}
	if err := json.Unmarshal(raw, &records); err != nil {
		t.Fatal(err)
	}
	return &planHarness{
		decoder: serializer.NewCodecFactory(scheme).UniversalDeserializer(), records: records, keys: members[0].Keys,
		reconciler: &Reconciler{Options: Options{
			Member: "org1", Namespace: "hanse-system", NodeImages: planner.Planner{}.Description().Images, ContractImages: policy.DefaultContractImages,
		}},
	}
}

// process reports whether the plan is carried out.
func (k *planHarness) process(t *testing.T, raw []byte) bool {
	kind := v1alpha1.GroupVersion.WithKind("MemberPlan")
	decoded, _, err := k.decoder.Decode(raw, &kind, &v1alpha1.MemberPlan{})
	plan, ok := decoded.(*v1alpha1.MemberPlan)
	if err != nil || !ok {
		return false
	}
	mirror := host.Mirror(plan, "hanse-system")
	mirror.Status = *plan.Status.DeepCopy()
	mirror.Generation = plan.Generation
	_, _ = host.Report(plan, mirror)
	if mirror.Namespace != "hanse-system" || mirror.Name != plan.Name {
		t.Errorf("the plan is mirrored to %s/%s", mirror.Namespace, mirror.Name)
	}
	if reason, why := validatePlan(mirror, "org1"); why != "" {
		if reason == "" {
			t.Errorf("refused without a reason: %s", why)
		}
		return false
	}
	k.checkObjects(t, mirror)
	k.checkRoutes(t, mirror)
	k.checkStatus(mirror)
	k.checkLedger(t, mirror)
	return true
}

// checkObjects checks every object that the plan leads to.
func (k *planHarness) checkObjects(t *testing.T, plan *v1alpha1.MemberPlan) {
	agent := nodes.Agent{Namespace: "hanse-system", ServiceAccount: "member-agent"}
	driver := fabric.New(fabric.Options{})
	identities := driver.Identities(plan)
	objects := slices.Concat(nodes.Namespace(plan, agent), nodes.Policies(plan, planner.Planner{}.Description(), agent, nodes.Network{}), nodes.Budgets(plan),
		nodes.Remote(plan, "gateway.hanse-system.svc.cluster.local"), identity.Authorities(plan),
		identity.Certificates(plan, ledger.IdentityAuthority, identities), identity.Certificates(plan, ledger.TLSAuthority, identities),
		identity.Certificates(plan, ledger.OperatorAuthority, identities))
	workloads, err := driver.Workloads(plan, nil)
	if err != nil {
		return
	}
	for _, w := range k.reconciler.validateWorkloads(plan, workloads) {
		set := nodes.Desired(plan, w, nil)
		objects = append(objects, set.Supporting...)
		pod := corev1.PodSpec{}
		if set.StatefulSet != nil {
			objects, pod = append(objects, set.StatefulSet), set.StatefulSet.Spec.Template.Spec
		} else {
			objects, pod = append(objects, set.Deployment), set.Deployment.Spec.Template.Spec
		}
		checkMounts(t, w, pod, identities)
		for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
			if allowed := k.reconciler.NodeImages.Allows(c.Image) || k.reconciler.ContractImages.Allows(c.Image); !allowed && w.Refused == "" {
				t.Errorf("%s would run %s", w.Name, c.Image)
			}
		}
	}
	checkNamespaces(t, plan, objects)
}

// checkNamespaces checks that objects are in the plan's own namespace, under names that are labels, and each there once.
func checkNamespaces(t *testing.T, plan *v1alpha1.MemberPlan, objects []client.Object) {
	home := "hanse-" + plan.Spec.Consortium
	seen := map[string]bool{}
	for _, o := range objects {
		what := fmt.Sprintf("%T %s/%s", o, o.GetNamespace(), o.GetName())
		if seen[what] {
			t.Errorf("%s is there twice", what)
		}
		seen[what] = true
		namespace := o.GetNamespace()
		if reflect.TypeOf(o) == reflect.TypeFor[*corev1.Namespace]() {
			namespace = o.GetName()
		}
		if namespace != home || home == "hanse-system" {
			t.Errorf("%s is outside of %s", what, home)
		}
		// A contract's certificate alone has a dot in its name, so that it is nobody else's.
		if problems := validation.IsDNS1123Label(strings.TrimSuffix(o.GetName(), ".tls")); len(problems) > 0 {
			t.Errorf("%s: %v", what, problems)
		}
		for key, value := range o.GetLabels() {
			if problems := validation.IsValidLabelValue(value); len(problems) > 0 {
				t.Errorf("%s: label %s: %v", what, key, problems)
			}
		}
	}
}

// checkMounts checks that a pod mounts no keys but its own node's, and nothing of the machine.
func checkMounts(t *testing.T, w ledger.Workload, pod corev1.PodSpec, identities []ledger.Identity) {
	own := func(secret string) bool {
		if w.Contract != nil {
			return secret == w.Name+".tls"
		}
		return slices.ContainsFunc(identities, func(i ledger.Identity) bool { return i.Name == secret && i.Node != "" && i.Node == w.Name }) &&
			!slices.ContainsFunc(identities, func(i ledger.Identity) bool { return i.Name == secret && i.Node != w.Name })
	}
	mounted := slices.Clone(w.Secrets)
	for _, v := range pod.Volumes {
		if v.HostPath != nil {
			t.Errorf("%s mounts the machine's %s", w.Name, v.HostPath.Path)
		}
		if v.Secret != nil {
			mounted = append(mounted, v.Secret.SecretName)
		}
		if v.Projected != nil {
			for _, source := range v.Projected.Sources {
				if source.Secret == nil {
					continue
				}
				if items := source.Secret.Items; len(items) == 1 && items[0].Key == "ca.crt" {
					// An authority's certificate is public; the key beside it stays out.
					mounted = slices.DeleteFunc(mounted, func(name string) bool { return name == source.Secret.Name })
					continue
				}
				mounted = append(mounted, source.Secret.Name)
			}
		}
	}
	for _, secret := range mounted {
		if !own(secret) {
			t.Errorf("%s mounts %s, which is not its own", w.Name, secret)
		}
	}
}

// checkRoutes checks where names lead: in, to the organization's own nodes and agent; out, to those whose names they are.
func (k *planHarness) checkRoutes(t *testing.T, plan *v1alpha1.MemberPlan) {
	r := line.Compute([]v1alpha1.MemberPlan{*plan}, map[string]map[string]v1alpha1.Record{plan.Spec.Consortium: k.records}, "org1",
		line.Cluster{Planners: ledger.Planners{v1alpha1.LedgerFabric: planner.Planner{}}, Domain: "cluster.local", Namespace: "hanse-system"})
	for name, address := range r.Local {
		if name == v1alpha1.AgentServerName("org1") && strings.HasPrefix(address, "member-agent.hanse-system.svc.cluster.local.:") {
			continue
		}
		node, namespace, _ := strings.Cut(name, ".")
		if namespace != plan.Spec.Namespace || !isNodeOf(node, "org1") || !strings.HasPrefix(address, name+".svc.cluster.local.:705") {
			t.Errorf("the line leads %s to %s", name, address)
		}
	}
	for name, to := range r.Remote {
		node, namespace, _ := strings.Cut(name, ".")
		if to == "org1" || r.Local[name] != "" || name != v1alpha1.AgentServerName(to) && (namespace != plan.Spec.Namespace || !isNodeOf(node, to)) {
			t.Errorf("%s leads out to %s", name, to)
		}
	}
	for _, l := range r.Lines {
		if err := routing.CheckAddress(l.Address, l.Port, "cluster.local"); err != nil && l.Problem == "" {
			t.Errorf("line %+v: %v", l, err)
		}
	}
	text, err := r.JSON()
	if err == nil {
		_, err = routing.ParseRoutes(text)
	}
	if err != nil {
		t.Errorf("routes that the gateway cannot read: %v", err)
	}
}

func isNodeOf(node, member string) bool {
	return v1alpha1.IsNodeOf(node, v1alpha1.RolePeer, member) || v1alpha1.IsNodeOf(node, v1alpha1.RoleOrderer, member)
}

// checkStatus runs what reads a plan to say something about it; none of it may panic.
func (k *planHarness) checkStatus(plan *v1alpha1.MemberPlan) {
	_ = statement.Pins{}.Compare(plan.Spec.Members)
	if own, err := statement.NewRecord(buildRecord(plan, planner.Planner{}.Description(), identity.Issued{}, localAddresses(plan))); err == nil {
		_, _ = withSequence(own, "", time.Unix(1000, 0), &own)
	}
	_, _ = statement.NewHoldings(plan.Spec.Consortium, plan.Spec.Member, holdings(plan.Status.Channels))
	_, _, _ = validateLines(plan, nil)
	_, refused, _ := k.reconciler.withoutForbiddenContracts(plan)
	_ = formatRefused(refused, "")
	_ = mergeRunning(plan.Status.Contracts, nil)
	_ = countNodes([]v1alpha1.MemberPlan{*plan})
	p := newProgress(plan)
	p.finalizeConditions()
	_ = p.requeueAfter(time.Unix(2000, 0))
}

// checkLedger checks what the ledger's phases compute before they speak to any node.
func (k *planHarness) checkLedger(t *testing.T, plan *v1alpha1.MemberPlan) {
	session, err := fabric.New(fabric.Options{}).Open(context.Background(), plan, k.records, k.keys)
	if err != nil {
		t.Errorf("open: %v", err)
		return
	}
	defer session.Close()
	for _, channel := range plan.Spec.Channels {
		_ = planner.Planner{}.Description().OrderingMembers(plan, channel)
		_ = ledger.LeaderOf(plan, channel)
		if hash, err := session.CheckGenesis(channel, []byte(channel.GenesisHash)); err == nil && len(hash) != 64 {
			t.Errorf("a first block was taken whose hash is %q", hash)
		}
		block, err := session.Genesis(channel)
		if err != nil {
			continue
		}
		hash, err := session.CheckGenesis(channel, block)
		if err != nil {
			t.Errorf("the own first block of channel %s is refused: %v", channel.Name, err)
		}
		first := ledger.FirstBlock{Hash: hash, Block: func(context.Context) ([]byte, error) { return block, nil }}
		if err := session.CheckChannel(context.Background(), channel, first); err != nil && !errors.Is(err, ledger.ErrChannelDiffers) {
			t.Errorf("channel %s is held against its first block: %v", channel.Name, err)
		}
	}
}

// seeds are plans of an honest host, and of one that is not.
func seeds(t testing.TB) [][]byte {
	t.Helper()
	full := validTestPlan()
	full.Spec.Ledger.Fabric = &v1alpha1.FabricSpec{PeerImage: "docker.io/hyperledger/fabric-peer:3.1.4", Capabilities: "V2_0"}
	value := "v"
	full.Spec.Contracts = append(full.Spec.Contracts, v1alpha1.PlanContract{
		Name: "own", Channel: full.Spec.Channels[0].Name, Image: "ghcr.io/hanse-io/own:1", Version: "1", Sequence: 1, TLS: true, Replicas: 3,
		Env: []v1alpha1.ContractEnvVar{
			{Name: "A", Value: &value}, {Name: "CORE_PEER_LOCALMSPID", Value: &value},
			{Name: "K", SecretKeyRef: &v1alpha1.ContractSecretKeyRef{Name: "peer0-org1-tls", Key: "tls.key"}},
		},
	})
	full.Spec.Nodes[1].ExtraSANs = []string{"peer.example.com", "192.0.2.7"}
	full.Spec.Nodes[1].StateDatabase = v1alpha1.StateCouchDB
	full.Spec.Channels[0].Endorsement = v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseOutOf, Count: 2, Members: []string{"org1", "org2", "org3"}}
	full.Spec.Channels[0].Genesis = &v1alpha1.StatementRef{Member: "org2", Digest: strings.Repeat("a", 64)}
	full.Status.Nodes = []v1alpha1.PlanNodeStatus{{Name: "peer0-org1", Role: v1alpha1.RolePeer, Ready: true}}
	var all [][]byte
	for _, plan := range []*v1alpha1.MemberPlan{validTestPlan(), full} {
		raw, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw)
		for _, swap := range [][2]string{
			{`"peer0-org1"`, `"admin-org1"`}, {`"peer0-org2"`, `"peer0-org1"`}, {`"goods"`, `"peer0"`}, {`"notary"`, `"org1"`},
			{`"hanse-trade"`, `"kube-system"`}, {`"trade"`, `"a.b"`}, {`"192.0.2.2"`, `"10.43.0.1"`}, {`"org2"`, `"org1"`},
			{`"members":["org1","org2","org3"]`, `"members":null`}, {`"Majority"`, `"Most"`}, {`"count":2`, `"count":-1`}, {`"batch":{}`, `"batch":{"timeout":"-1s"}`},
		} {
			if raw := strings.ReplaceAll(string(raw), swap[0], swap[1]); !slices.ContainsFunc(all, func(b []byte) bool { return string(b) == raw }) {
				all = append(all, []byte(raw))
			}
		}
	}
	return all
}

// TestValidPlanIsProcessed shows that what the fuzz target checks is not nothing.
func TestValidPlanIsProcessed(t *testing.T) {
	raw, err := json.Marshal(validTestPlan())
	if err != nil {
		t.Fatal(err)
	}
	if !newPlanHarness(t).process(t, raw) {
		t.Error("an honest host's plan is refused")
	}
}

// FuzzPlan takes plans in as a host in wrong hands might send them: whatever they say, nothing panics, nothing is made
// outside of the plan's own namespace or under a name that is no label, and no pod gets another's keys.
func FuzzPlan(f *testing.F) {
	for _, raw := range seeds(f) {
		f.Add(raw)
	}
	taker := newPlanHarness(f)
	f.Fuzz(func(t *testing.T, raw []byte) { taker.process(t, raw) })
}

// leaves calls visit with every value of a JSON document that is no object or list, or an empty one, and puts what it
// returns in its place.
func leaves(value any, visit func(any) any) any {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			v[key] = leaves(v[key], visit)
		}
		if len(v) > 0 {
			return v
		}
	case []any:
		for i := range v {
			v[i] = leaves(v[i], visit)
		}
		if len(v) > 0 {
			return v
		}
	}
	return visit(value)
}

// FuzzPlanField spoils two values of an honest host's plan: bytes at random seldom come out as a plan at all.
func FuzzPlanField(f *testing.F) {
	for i, text := range []string{
		"", "null", "{}", "[]", "true", "-1", "9223372036854775807", "a.b", "../..", "admin-org1", "peer0-org1", "peer0", "org1", "org2", "system",
		"kube-system", "hanse-system", "Peer", "Orderer", "OutOf", "10.43.0.1", "fd00::1", strings.Repeat("a", 64), "evil:1", "\x00", `["org1"]`,
	} {
		f.Add(uint16(i), uint16(7*i+3), text, text)
	}
	taker := newPlanHarness(f)
	plans := seeds(f)[:1]
	plans = append(plans, seeds(f)[len(seeds(f))/2])
	f.Fuzz(func(t *testing.T, one, other uint16, first, second string) {
		for _, raw := range plans {
			var plan any
			if err := json.Unmarshal(raw, &plan); err != nil {
				t.Fatal(err)
			}
			all := 0
			leaves(plan, func(v any) any { all++; return v })
			at := -1
			leaves(plan, func(v any) any {
				at++
				switch {
				case at == int(one)%all:
					return mutate(first)
				case at == int(other)%all:
					return mutate(second)
				}
				return v
			})
			text, err := json.Marshal(plan)
			if err != nil {
				t.Fatal(err)
			}
			taker.process(t, text)
		}
	})
}

// mutate is a text as the JSON that it is, if it is any, or else as a string.
func mutate(text string) any {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return text
}

// localAddresses has the organization call every end of the plan's lines its own, so that all of them are signed.
func localAddresses(plan *v1alpha1.MemberPlan) (own []LineAddress) {
	for _, l := range plan.Spec.Lines {
		own = append(own, LineAddress{strings.ToLower(strings.TrimSuffix(l.LocalAddress, ".")), l.LocalPort})
	}
	return own
}
