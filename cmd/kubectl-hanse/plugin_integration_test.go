//go:build integration

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/testcluster"
	"github.com/hanse-io/hanse/kubectl-hanse/invite"
)

// person runs the plugin with a kubeconfig of its own.
type person struct {
	kubeconfig string
}

func newPerson(t *testing.T, env *envtest.Environment, name string, groups ...string) person {
	t.Helper()
	user, err := env.AddUser(envtest.User{Name: name, Groups: groups}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := user.KubeConfig()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), name+".kubeconfig")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return person{file}
}

// says runs the plugin and returns what it printed and why it failed.
func (p person) says(args ...string) (stdout, stderr string, err error) {
	root := command()
	var out, errOut bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&errOut)
	root.SetArgs(append([]string{"--kubeconfig", p.kubeconfig}, args...))
	err = root.ExecuteContext(context.Background())
	return out.String(), errOut.String(), err
}

// row is something that a person types, and what has to be in the answer.
type row struct {
	why  string
	args []string
	want string
}

func (p person) each(t *testing.T, when string, rows []row) {
	t.Helper()
	for _, r := range rows {
		out, _, err := p.says(r.args...)
		if err == nil || !strings.Contains(err.Error(), r.want) {
			t.Errorf("%s: %s: %v: want %q in %v (%s)", when, r.why, r.args, r.want, err, out)
		}
	}
}

// TestPlugin types what people type by mistake, in clusters of every kind, against a real API server: one that knows
// nothing of Hanse, which becomes an organization's own, and then a host's too.
func TestPlugin(t *testing.T) {
	env, config, err := testcluster.Start(func() *envtest.Environment { return &envtest.Environment{} })
	if err != nil {
		t.Fatalf("start an API server: %v", err)
	}
	t.Cleanup(func() { _ = env.Stop() })
	admin := newPerson(t, env, "admin", "system:masters")
	outsider := newPerson(t, env, "outsider")
	out := func(name string) string { return filepath.Join(t.TempDir(), name) }

	admin.each(t, "a cluster without Hanse", []row{
		{"profile", []string{"profile", "trade"}, "this cluster has no member agent"},
		{"env", []string{"env", "trade", "--out", out("a")}, "this cluster has no member agent"},
		{"status", []string{"status", "trade"}, "this cluster has no member agent"},
		{"invoke", invocation(), "this cluster has no member agent"},
		{"invite", []string{"invite", "org1"}, "this cluster is no host"},
		{"a format that there is not", []string{"profile", "trade", "-o", "xml"}, `"xml" is no format of this command`},
		{"an identity that there is not", []string{"env", "trade", "--out", out("b"), "--identity", "root"}, "neither admin nor user"},
		{"a context that there is not", []string{"--context", "nowhere", "status", "trade"}, "--kubeconfig"},
	})
	checksBefore(t, config, admin)
	policySurvives(t, config, admin)
	checksAfter(t, admin, outsider)
	objects := typed(t, config)
	admin.each(t, "an organization's own cluster, without a consortium", []row{
		{"profile", []string{"profile", "trade"}, "this cluster has nothing of consortium trade yet"},
		{"env", []string{"env", "trade", "--out", out("c")}, "this cluster has nothing of consortium trade yet"},
		{"status", []string{"status", "trade"}, "no consortium on the host names it yet"},
		{"invoke before the agent is ready", invocation(), "no member agent"},
		{"invite", []string{"invite", "org1"}, "this is an organization's own cluster"},
	})
	consortium(t, objects)
	admin.each(t, "an organization's own cluster", []row{
		{"another consortium's status", []string{"status", "fish"}, "takes part in no consortium fish: it has trade"},
		{"another consortium's profile", []string{"profile", "fish"}, "this cluster has nothing of consortium fish yet"},
		{"an identity that is not issued", []string{"env", "trade", "--out", out("d"), "--identity", "user"}, "describe certificate user-org1"},
		{"a folder that is a file", []string{"env", "trade", "--out", admin.kubeconfig}, "cannot be used as a folder"},
		{"a folder that is not empty", []string{"env", "trade", "--out", filepath.Dir(admin.kubeconfig)}, "is not empty"},
	})
	outsider.each(t, "somebody without rights", []row{
		{"profile", []string{"profile", "trade"}, "ask whoever runs this cluster for that right"},
		{"status", []string{"status", "trade"}, "ask whoever runs this cluster for that right"},
		{"invoke", invocation(), "ask whoever runs this cluster for that right"},
	})
	admin.each(t, "an admin who acts as somebody else", []row{
		{"as one without rights", []string{"profile", "trade", "--as", "outsider"}, "ask whoever runs this cluster for that right"},
		{"as a user that the kubeconfig does not have", []string{"profile", "trade", "--user", "nobody"}, "point --kubeconfig or $KUBECONFIG at one"},
		{"a server's certificate left unverified", []string{"profile", "trade", "--insecure-skip-tls-verify"}, "unknown flag"},
	})
	works(t, admin, objects)
	invokes(t, env, admin, objects)
	onHost(t, config, admin)
	checksHost(t, admin)
}

func invocation() []string {
	return []string{"invoke", "--consortium", "trade", "--channel", "settlement", "--contract", "notary", "Get", "x"}
}

func typed(t *testing.T, config *rest.Config) client.Client {
	t.Helper()
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(s); err != nil {
			t.Fatal(err)
		}
	}
	c, err := client.New(config, client.Options{Scheme: s})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func create(t *testing.T, c client.Client, objects ...client.Object) {
	t.Helper()
	for _, obj := range objects {
		if err := c.Create(context.Background(), obj); err != nil {
			t.Fatalf("create %T %s: %v", obj, obj.GetName(), err)
		}
	}
}

// policySurvives has real Helm run what `invite --replace` prints, on a cluster without a release and on one whose people
// have set a policy: that is theirs, whatever the host prints.
func policySurvives(t *testing.T, config *rest.Config, p person) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	run := func(line string) string {
		t.Helper()
		cmd := exec.Command("bash", "-c", line)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "KUBECONFIG="+p.kubeconfig, "PATH="+assets+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		return string(out)
	}
	invitation := invite.Installation{Member: "org1", Server: "https://203.0.113.10:6443", CA: config.CAData, Chart: "charts/member-agent", Replace: true}
	replaced := func(token string) {
		t.Helper()
		invitation.Token = token
		line, err := invitation.Command()
		if err != nil {
			t.Fatal(err)
		}
		run(line)
	}
	replaced("first")
	run("helm upgrade member-agent charts/member-agent --namespace hanse-system --reuse-values" +
		" --set policy.contractApproval=ByHand,policy.keepVolumes=true,gateway.service.nodePort=30999 --set 'policy.nodeImages={registry.example/}'")
	replaced("second")
	var values struct {
		Policy struct {
			ContractApproval string
			KeepVolumes      bool
			NodeImages       []string
		}
		Gateway   struct{ Service struct{ NodePort int } }
		Bootstrap struct{ Token string }
	}
	if err := json.Unmarshal([]byte(run("helm get values member-agent --namespace hanse-system --output json")), &values); err != nil {
		t.Fatal(err)
	}
	if values.Bootstrap.Token != "second" {
		t.Errorf("the new invitation has not arrived: %+v", values)
	}
	if v := values.Policy; v.ContractApproval != "ByHand" || !v.KeepVolumes || len(v.NodeImages) != 1 || values.Gateway.Service.NodePort != 30999 {
		t.Errorf("a new invitation has changed what the organization had set: %+v", values)
	}
}

const connectionProfile = `{"client": {"organization": "org1"}, "organizations": {"org1": {"mspid": "FirstMSP"}},
"peers": {"peer0-org1.hanse-trade": {"url": "grpcs://peer0-org1.hanse-trade:7051", "tlsCACerts": {"pem": "ROOTS"}}}}`

// consortium makes what the agent of an organization would have made.
func consortium(t *testing.T, c client.Client) {
	t.Helper()
	create(t, c,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "hanse-trade"}},
		&v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{Namespace: "hanse-system", Name: "trade"}, Spec: v1alpha1.MemberPlanSpec{
			Member: "org1", Consortium: "trade", ConsortiumNamespace: "default", Namespace: "hanse-trade",
			Ledger: v1alpha1.LedgerSpec{Type: v1alpha1.LedgerFabric}, Members: []v1alpha1.PlanMember{{Name: "org1", Role: v1alpha1.RoleLeader}},
		}},
		&corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: "hanse-trade", Name: v1alpha1.ConnectionConfigMap,
				Annotations: map[string]string{v1alpha1.AnnotationConnectionMissing: "org2"}},
			Data: map[string]string{v1alpha1.ConnectionProfile: connectionProfile},
		})
}

// works runs what is right, host or no host.
func works(t *testing.T, p person, c client.Client) {
	t.Helper()
	identity := func(name string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "hanse-trade", Name: name}, StringData: map[string]string{
			"tls.crt": name, "tls.key": name + " key", "ca.crt": "ca",
		}}
	}
	create(t, c, identity("user-org1"), identity("admin-org1"), identity("admin-org1-tls"))
	out, warned, err := p.says("profile", "trade")
	if err != nil || !strings.Contains(out, "mspid: FirstMSP") || !strings.Contains(warned, "not in it yet: org2") {
		t.Errorf("profile: %v\n%s\n%s", err, out, warned)
	}
	folder := filepath.Join(t.TempDir(), "application")
	if out, _, err = p.says("env", "trade", "--identity", "user", "--out", folder); err != nil || !strings.Contains(out, "CORE_PEER_LOCALMSPID='FirstMSP'") {
		t.Errorf("env: %v\n%s", err, out)
	}
	keys := 0
	err = filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), " key") {
			keys++
		}
		if strings.Contains(string(text), "admin-org1") {
			t.Errorf("an application's folder holds what is the administrator's: %s", path)
		}
		return err
	})
	if err != nil || keys != 1 {
		t.Errorf("an application's folder holds %d keys (%v)", keys, err)
	}
	if out, _, err = p.says("status", "trade"); err != nil || !strings.Contains(out, "as org1's own agent sees it") {
		t.Errorf("status: %v\n%s", err, out)
	}
	printsOwn(t, p)
	completesOwn(t, p, c)
}

// invokes calls an agent's pod that no node runs: what the API server has to say is said.
func invokes(t *testing.T, env *envtest.Environment, admin person, c client.Client) {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "hanse-system", Name: "member-agent-0", Labels: map[string]string{"app.kubernetes.io/name": "member-agent"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "agent", Image: "registry.example/member-agent"}}},
	}
	create(t, c, pod,
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "looker"}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list"}}}},
		&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "looker"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "looker"},
			Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "looker"}}})
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	if err := c.Status().Update(context.Background(), pod); err != nil {
		t.Fatal(err)
	}
	admin.each(t, "an agent that no node runs", []row{{"the API server's reason is the last word", invocation(), "reach the agent's pod member-agent-0: pod member-agent-0 does not have a host assigned"}})
	looker := newPerson(t, env, "looker")
	eventually(t, "somebody who may look at pods alone", func() error {
		_, _, err := looker.says(invocation()...)
		if err != nil && strings.Contains(err.Error(), "(create pods/exec)") && strings.Contains(err.Error(), "ask whoever runs this cluster for that right") {
			return nil
		}
		return fmt.Errorf("got %w", err)
	})
}

// onHost has the cluster be a host's too, which is where invite and the whole consortium's status are.
func onHost(t *testing.T, config *rest.Config, p person) {
	t.Helper()
	if err := testcluster.InstallCRDs(config, "../../charts/federation/crds"); err != nil {
		t.Fatal(err)
	}
	c := typed(t, config)
	create(t, c, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team-a"}})
	for _, namespace := range []string{"team-a", "kube-public"} {
		create(t, c, &v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "trade"}, Spec: v1alpha1.ConsortiumSpec{
			Members: []v1alpha1.ConsortiumMember{{Name: "org1", Role: v1alpha1.RoleLeader}},
		}})
	}
	p.each(t, "a host", []row{
		{"profile", []string{"profile", "fish"}, "this is the host's cluster"},
		{"a consortium in other namespaces", []string{"status", "trade"}, "there is one in kube-public and in team-a: add -n kube-public"},
		{"a consortium that there is not", []string{"status", "fish"}, "kubectl get consortia -A"},
		{"an address that nobody outside reaches", []string{"invite", "org1"}, "give --host-server the https URL"},
		{"a name that is none", []string{"invite", "Org_1", "--host-server", "https://203.0.113.10:6443"}, "Org_1"},
		{"a controller that does not run", []string{"invite", "org1", "--host-server", "https://203.0.113.10:6443", "--timeout", "200ms"}, "is it running?"},
		{"an address without TLS", []string{"invite", "org1", "--host-server", "http://203.0.113.10"}, "no https URL"},
		{"a time that is too short", []string{"invite", "org1", "--host-server", "https://203.0.113.10:6443", "--ttl", "1m"}, "too short"},
	})
	var members v1alpha1.MemberList
	if err := errors.Join(c.List(context.Background(), &members)); err != nil || len(members.Items) != 1 {
		t.Errorf("Members: %v, %+v: only the one invitation that was in order may have left one", err, members.Items)
	}
}
