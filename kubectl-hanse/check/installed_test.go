package check

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func deployment(name, version string, available int32, arguments ...string) appsv1.Deployment {
	d := appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "hanse-system", Name: name, Labels: map[string]string{"app.kubernetes.io/version": version}}}
	d.Spec.Template.Spec.Containers = []corev1.Container{{Args: arguments}}
	d.Status.AvailableReplicas = available
	return d
}

func condition(kind string, status metav1.ConditionStatus, reason string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: "a message"}
}

// host is one that is well, with a member whose agent is there.
func host() Facts {
	replicas, seconds := int32(1), int32(80)
	d := deployment("federation", "0.1.0", 1)
	d.Spec.Replicas = &replicas
	renewed := metav1.NewMicroTime(now.Add(-time.Minute))
	member := v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: "org1"}, Spec: v1alpha1.MemberSpec{Invitation: "x"}}
	member.Status.Registration = &v1alpha1.MemberRegistration{LastIssued: metav1.NewTime(now.Add(-24 * time.Hour))}
	member.Status.Conditions = []metav1.Condition{condition(v1alpha1.MemberRegistered, "True", "Registered"), condition(v1alpha1.MemberOnline, "True", "LeaseCurrent"),
		condition(v1alpha1.MemberCredentialShared, "False", "OneAgent")}
	consortium := v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "trade"}}
	consortium.Status.Conditions = []metav1.Condition{condition("Accepted", "True", "Accepted"), condition("Ready", "True", "Ready")}
	line := v1alpha1.Line{ObjectMeta: metav1.ObjectMeta{Name: "org1-org2"}}
	line.Status.Conditions = []metav1.Condition{condition("Ready", "True", "Up")}
	return Facts{Now: now, Plugin: "0.1.0", Namespace: "hanse-system", Host: true, Deployments: []appsv1.Deployment{d},
		CRDs: []CRD{{Name: "members", There: true, Established: true, Stored: []string{"v1alpha1"}}}, Members: []v1alpha1.Member{member},
		Consortia: []v1alpha1.Consortium{consortium}, Lines: []v1alpha1.Line{line},
		Leases: []coordinationv1.Lease{{ObjectMeta: metav1.ObjectMeta{Namespace: "hanse-member-org1", Name: "member-agent"}, Spec: coordinationv1.LeaseSpec{RenewTime: &renewed, LeaseDurationSeconds: &seconds}}}}
}

// organization is a member's cluster that is well, with one node.
func organization() Facts {
	one, end := int32(1), now.Add(5*24*time.Hour)
	space := corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "hanse-trade", Labels: map[string]string{v1alpha1.LabelConsortium: "trade", v1alpha1.LabelManagedBy: "hanse"}}}
	node := appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "hanse-trade", Name: "peer0-org1", Labels: map[string]string{v1alpha1.LabelNode: "peer0-org1"}}}
	node.Spec.Replicas, node.Status.ReadyReplicas = &one, 1
	plan := v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{Namespace: "hanse-system", Name: "trade"}}
	plan.Status.Conditions = []metav1.Condition{condition(v1alpha1.PlanNodesReady, "True", "Ready"), condition(v1alpha1.PlanCredentialShared, "False", "OneAgent")}
	plan.Status.Lines = []v1alpha1.PlanLineStatus{{Member: "org2", Line: "org1-org2", State: v1alpha1.LineUp}}
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "hanse-trade", Name: "peer0-org1-0"}}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "peer"}}
	volume := corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "hanse-trade", Name: "data-peer0-org1-0"}}
	volume.Status.Phase = corev1.ClaimBound
	return Facts{Now: now, Plugin: "0.1.0", Namespace: "hanse-system", Member: true,
		Deployments: []appsv1.Deployment{deployment("member-agent", "0.1.0", 1, "run", "--network-policy=true"), deployment("gateway", "0.1.0", 2)},
		CRDs:        []CRD{{Name: "memberplans", There: true, Established: true, Stored: []string{"v1alpha1"}}},
		Namespaces:  []corev1.Namespace{space}, StatefulSets: []appsv1.StatefulSet{node}, Plans: []v1alpha1.MemberPlan{plan}, Pods: []corev1.Pod{pod},
		Volumes: []corev1.PersistentVolumeClaim{volume}, Credential: &end,
		Certificates:    []Certificate{{Namespace: "hanse-trade", Name: "peer0-org1", Ready: true, NotAfter: now.Add(90 * 24 * time.Hour), RenewsAt: now.Add(60 * 24 * time.Hour)}},
		NetworkPolicies: []networkingv1.NetworkPolicy{{ObjectMeta: metav1.ObjectMeta{Namespace: "hanse-trade", Name: "peers"}}},
	}
}

func TestWell(t *testing.T) {
	for name, facts := range map[string]Facts{"host": host(), "organization": organization()} {
		if report := Evaluate(facts); report.Failed+report.Warnings > 0 || report.Err() != nil || len(report.Results) < 8 {
			t.Errorf("%s:\n%s", name, report.Text())
		}
	}
}

// TestProblems breaks one thing at a time: it comes first, with words that name it, and nothing else is reported.
func TestProblems(t *testing.T) {
	past := now.Add(-time.Minute)
	for _, row := range []struct {
		why      string
		facts    func() Facts
		breaks   func(*Facts)
		level    Level
		check    string
		says     string
		problems int
	}{
		{"no controller", host, func(f *Facts) { f.Deployments = nil }, Failed, "components", "no Deployment federation", 1},
		{"a controller that is down", host, func(f *Facts) { f.Deployments[0].Status.AvailableReplicas = 0 }, Failed, "components", "0 of 1 replicas of federation", 1},
		{"a controller that was scaled down", host, func(f *Facts) { *f.Deployments[0].Spec.Replicas = 0 }, Failed, "components", "federation is scaled to 0", 1},
		{"one gateway of two", organization, func(f *Facts) {
			two := int32(2)
			f.Deployments[1].Spec.Replicas, f.Deployments[1].Status.AvailableReplicas = &two, 1
		}, Warning, "components", "1 of 2 replicas of gateway", 1},
		{"a gateway of another version", organization, func(f *Facts) { f.Deployments[1].Labels["app.kubernetes.io/version"] = "0.2.0" }, Failed, "components", "gateway 0.2.0, member-agent 0.1.0", 1},
		{"a CRD that is not there", host, func(f *Facts) { f.CRDs[0] = CRD{Name: "members"} }, Failed, "CRDs", "helm does not upgrade CRDs", 1},
		{"a CRD of another version", host, func(f *Facts) { f.CRDs[0].Differs = ".v1alpha1.spec" }, Failed, "CRDs", "charts/federation/crds", 1},
		{"objects stored in an old version", host, func(f *Facts) { f.CRDs[0].Stored = []string{"v1alpha0", "v1alpha1"} }, Failed, "CRDs", "storedVersions", 1},
		{"an agent that is away", host, func(f *Facts) {
			f.Members[0].Status.Conditions[1] = condition(v1alpha1.MemberOnline, "Unknown", "LeaseExpired")
		}, Failed, "members", "Member org1: Online is Unknown, LeaseExpired", 1},
		{"a key in two hands", host, func(f *Facts) {
			f.Members[0].Status.Conditions[2] = condition(v1alpha1.MemberCredentialShared, "True", "CredentialShared")
		}, Failed, "members", "invite org1 --replace", 1},
		{"an invitation that is open", host, func(f *Facts) {
			f.Members[0].Status.Conditions = []metav1.Condition{condition(v1alpha1.MemberRegistered, "False", "Invited")}
		}, Warning, "invitations", "has not been used yet", 1},
		{"an invitation that has expired", host, func(f *Facts) {
			f.Members[0].Status.Conditions = nil
			f.Members[0].Spec.InvitationExpires = &metav1.Time{Time: past}
		}, Failed, "invitations", "kubectl hanse invite org1", 1},
		{"a Lease that is old", host, func(f *Facts) {
			f.Leases[0].Spec.RenewTime = &metav1.MicroTime{Time: now.Add(-3 * time.Minute)}
		}, Failed, "leases of agents", "3m0s ago, and it is good for 2m0s", 1},
		{"a credential near its end", host, func(f *Facts) {
			f.Members[0].Status.Registration.LastIssued = metav1.NewTime(now.Add(-6*24*time.Hour - 12*time.Hour))
		}, Warning, "credentials of agents", "12h0m0s", 1},
		{"a line that is down", host, func(f *Facts) { f.Lines[0].Status.Conditions[0] = condition("Ready", "False", "Down") }, Failed, "lines", "TCP port 7443", 1},
		{"a consortium that is not accepted", host, func(f *Facts) {
			f.Consortia[0].Status.Conditions = []metav1.Condition{condition("Ready", "False", "Waiting"), condition("Accepted", "False", "NotFound")}
		}, Failed, "consortia", "Accepted is False, NotFound", 1},
		{"a consortium that waits", host, func(f *Facts) { f.Consortia[0].Status.Conditions[1] = condition("Ready", "False", "Waiting") }, Warning, "consortia", "Consortium default/trade", 1},
		{"a change that nobody looks at", host, func(f *Facts) { f.Consortia[0].Generation = 2 }, Warning, "consortia", "about what it was before", 1},
		{"a value that cannot be read", host, func(f *Facts) {
			f.Consortia[0].Undecodable = v1alpha1.Undecodable{{Path: "spec.batch.timeout", Problem: "no duration"}}
		}, Failed, "values that can be read", "spec.batch.timeout", 1},
		{"a phase that has failed", organization, func(f *Facts) {
			f.Plans[0].Status.Conditions[0] = condition(v1alpha1.PlanNodesReady, "False", "StorageClassMissing")
		}, Failed, "plans", "kubectl get storageclass", 1},
		{"a plan that is refused", organization, func(f *Facts) {
			f.Plans[0].Annotations = map[string]string{v1alpha1.AnnotationRefused: "LimitExceeded: too many nodes"}
		}, Failed, "plans", "policy.limits", 1},
		{"a way that is closed", organization, func(f *Facts) { f.Plans[0].Status.Lines[0].State = v1alpha1.LineDown }, Failed, "lines of this cluster", "to org2 is Down", 1},
		{"a node that is not ready", organization, func(f *Facts) { f.StatefulSets[0].Status.ReadyReplicas = 0 }, Failed, "nodes", "hanse-trade/peer0-org1", 1},
		{"a volume that is not bound", organization, func(f *Facts) { f.Volumes[0].Status.Phase = corev1.ClaimPending }, Failed, "volumes", "describe pvc data-peer0-org1-0", 1},
		{"a volume that is lost", organization, func(f *Facts) { f.Volumes[0].Status.Phase = corev1.ClaimLost }, Failed, "volumes", "has lost its volume", 1},
		{"an image that is not pulled", organization, func(f *Facts) {
			f.Pods[0].Status.ContainerStatuses[0].State.Waiting = &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}
		}, Failed, "pods", "pull secret", 1},
		{"a container that crashes", organization, func(f *Facts) {
			f.Pods[0].Status.ContainerStatuses[0].State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}
		}, Failed, "pods", "logs peer0-org1-0 -c peer --previous", 1},
		{"a container that has often been restarted", organization, func(f *Facts) { f.Pods[0].Status.ContainerStatuses[0].RestartCount = 7 }, Warning, "pods", "7 times", 1},
		{"a pod without a place", organization, func(f *Facts) {
			f.Pods[0].Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: "False", Message: "no memory"}}
		}, Failed, "pods", "no memory", 1},
		{"a certificate that has ended", organization, func(f *Facts) { f.Certificates[0].NotAfter = past }, Failed, "certificates", "ended at", 1},
		{"a certificate that is not issued", organization, func(f *Facts) { f.Certificates[0].Ready = false }, Failed, "certificates", "is not ready", 1},
		{"a renewal that is late", organization, func(f *Facts) { f.Certificates[0].RenewsAt = now.Add(-24 * time.Hour) }, Warning, "certificates", "was to be renewed", 1},
		{"no credential", organization, func(f *Facts) { f.Credential = nil }, Failed, "credential on the host", "NotInvited", 1},
		{"a credential that has ended", organization, func(f *Facts) { f.Credential = &past }, Failed, "credential on the host", "invite NAME --replace", 1},
		{"a namespace without policies", organization, func(f *Facts) { f.NetworkPolicies = nil }, Failed, "network policies", "namespace hanse-trade", 1},
		{"a namespace that is let in and is not there", organization, func(f *Facts) {
			f.Deployments[0] = deployment("member-agent", "0.1.0", 1, "--monitoring-namespace=prometheus")
		}, Warning, "network policies", "networkPolicy.monitoring-namespaces", 1},
		{"no right to see pods", organization, func(f *Facts) { f.Unread = map[string]error{pods: errForbidden} }, Warning, "pods", "not checked", 1},
	} {
		t.Run(row.why, func(t *testing.T) {
			facts := row.facts()
			row.breaks(&facts)
			report := Evaluate(facts)
			first := report.Results[0]
			expect(t, first, row.level, row.says)
			if first.Check != row.check || report.Failed+report.Warnings != row.problems || (report.Err() != nil) != (row.level == Failed) {
				t.Errorf("want %d problems, and the first of %s:\n%s", row.problems, row.check, report.Text())
			}
		})
	}
}

// TestSkew holds that a CRD or a component of another version than the plugin's is no problem as such.
func TestSkew(t *testing.T) {
	facts := host()
	facts.Plugin, facts.CRDs[0].Differs = "0.2.0", ".v1alpha1"
	report := Evaluate(facts)
	if report.Failed+report.Warnings > 0 || !strings.Contains(report.Text(), "this plugin is 0.2.0, and the cluster has 0.1.0") {
		t.Error(report.Text())
	}
}

// TestRemedies holds that every reason of a condition that is a fault has a remedy.
func TestRemedies(t *testing.T) {
	good := map[string]bool{v1alpha1.ReasonAccepted: true, v1alpha1.ReasonRegistered: true, v1alpha1.ReasonLeaseCurrent: true, v1alpha1.ReasonOneAgent: true,
		v1alpha1.ReasonLineUp: true, v1alpha1.ReasonSecondAgent: true}
	files, err := filepath.Glob("../../api/v1alpha1/*_types.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("the API's sources: %v, %v", files, err)
	}
	for _, path := range append(files, "../../api/v1alpha1/shared.go", "../../api/v1alpha1/undecodable.go") {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") || len(spec.Values) != 1 {
				return true
			}
			literal, ok := spec.Values[0].(*ast.BasicLit)
			if !ok {
				return true
			}
			reason, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			if isFault(reason) && !good[reason] && remedies[reason] == "" {
				t.Errorf("%s: %q has no remedy", spec.Names[0].Name, reason)
			}
			return true
		})
	}
}
