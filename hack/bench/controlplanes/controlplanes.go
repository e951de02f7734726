package controlplanes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/hack/harness"
)

// Member is the one organization.
const Member = "org1"

// ControlPlanes is a host and one Member, with the product running.
type ControlPlanes struct {
	Host, Own         *ControlPlane
	Federation, Agent *Process

	harness          *harness.Harness
	dir              string
	federationConfig string
	processes        []*Process
}

// Start runs everything and waits until the Member is online.
func Start(ctx context.Context, s *harness.Harness, dir string) (*ControlPlanes, error) {
	p, assets, err := StartHost(ctx, s, dir)
	if err != nil {
		return p, err
	}
	if p.Own, err = startPlane(filepath.Join(dir, Member), assets); err == nil {
		err = p.startMember(ctx)
	}
	if err != nil {
		err = errors.Join(err, p.Stop())
	}
	return p, err
}

// StartHost runs the host and its controller alone. assets is the directory of the API server's program.
func StartHost(ctx context.Context, s *harness.Harness, dir string) (p *ControlPlanes, assets string, err error) {
	p = &ControlPlanes{harness: s, dir: dir}
	if assets, err = s.Testbed(ctx, "assets"); err != nil {
		return p, "", err
	}
	assets = strings.TrimSpace(assets)
	if p.Host, err = startPlane(filepath.Join(dir, "host"), assets); err == nil {
		err = p.startHost(ctx)
	}
	if err != nil {
		err = errors.Join(err, p.Stop())
	}
	return p, assets, err
}

// Stop ends everything.
func (p *ControlPlanes) Stop() error {
	for i := len(p.processes) - 1; i >= 0; i-- {
		p.processes[i].Stop()
	}
	p.processes = nil
	var failed []error
	for _, plane := range []*ControlPlane{p.Host, p.Own} {
		if plane != nil && plane.env != nil {
			failed = append(failed, plane.stop())
		}
	}
	return errors.Join(failed...)
}

func (p *ControlPlanes) run(plane *ControlPlane, kubeconfig, program string, environment []string, args ...string) (*Process, error) {
	process, err := startProcess(plane.dir, kubeconfig, program, environment, args...)
	if err == nil {
		p.processes = append(p.processes, process)
	}
	return process, err
}

// startHost signs certificates as a host does, and runs federation.
func (p *ControlPlanes) startHost(ctx context.Context) error {
	hyperkube, err := p.harness.Part("hyperkube")
	if err != nil {
		return err
	}
	if _, err := p.run(p.Host, p.Host.Kubeconfig, strings.TrimSpace(hyperkube), nil, "kube-controller-manager",
		"--kubeconfig="+p.Host.Kubeconfig, "--leader-elect=false", "--secure-port=0",
		"--controllers=certificatesigningrequest-signing-controller",
		"--cluster-signing-cert-file="+p.Host.authority.CertFile(),
		"--cluster-signing-key-file="+p.Host.authority.KeyFile()); err != nil {
		return err
	}
	if err := p.chart(ctx, p.Host, "federation", "charts/federation", ""); err != nil {
		return err
	}
	if p.federationConfig, err = p.Host.accountKubeconfig(ctx, "federation"); err != nil {
		return err
	}
	return p.StartFederation(ctx)
}

// StartFederation runs the controller.
func (p *ControlPlanes) StartFederation(context.Context) (err error) {
	p.Federation, err = p.runProduct(p.Host, p.federationConfig, "federation", nil)
	return err
}

// StopFederation stops the controller, which StartFederation starts again.
func (p *ControlPlanes) StopFederation() error {
	if p.Federation == nil {
		return errors.New("the controller does not run")
	}
	p.Federation.Stop()
	p.processes = slices.DeleteFunc(p.processes, func(other *Process) bool { return other == p.Federation })
	p.Federation = nil
	return nil
}

// startMember takes the host's invitation and runs the agent. The cluster serves cert-manager's kinds, but nothing
// issues certificates: hundreds of them would be the measurement's own load.
func (p *ControlPlanes) startMember(ctx context.Context) error {
	manifests, err := p.harness.Testbed(ctx, "manifests", "cert-manager")
	if err != nil {
		return err
	}
	kinds := func(kind string) bool { return kind == "CustomResourceDefinition" }
	if err := p.Own.apply(ctx, []byte(manifests), kinds); err != nil {
		return err
	}
	class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{
		Name: "none", Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"},
	}, Provisioner: "kubernetes.io/no-provisioner"}
	if err := p.Own.Client.Create(ctx, class); err != nil {
		return err
	}
	command, err := output(ctx, p.harness.Root, p.Host.Kubeconfig, "", p.harness.Bin("kubectl-hanse"), "invite", Member, "--chart", "charts/member-agent", "--host-server", p.Host.Config.Host)
	if err != nil {
		return err
	}
	_, values, _ := strings.Cut(string(command), "<<'EOF'\n")
	values, _, found := strings.Cut(values, "\nEOF\n")
	if !found {
		return fmt.Errorf("the invitation holds no values between <<'EOF' and EOF: has the command changed?")
	}
	if err := p.chart(ctx, p.Own, "member-agent", "charts/member-agent", values); err != nil {
		return err
	}
	kubeconfig, err := p.Own.accountKubeconfig(ctx, "member-agent")
	if err != nil {
		return err
	}
	// GOGC is what the chart sets.
	p.Agent, err = p.runProduct(p.Own, kubeconfig, "member-agent", []string{"GOGC=50", "POD_NAMESPACE=" + Namespace},
		"run", "--member="+Member, "--gateway=127.0.0.1:1", "--gossip-address=127.0.0.1:0")
	if err != nil {
		return err
	}
	return p.online(ctx)
}

func (p *ControlPlanes) online(ctx context.Context) error {
	member := &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: Member}}
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		err := p.Host.Client.Get(ctx, client.ObjectKeyFromObject(member), member)
		return err == nil && meta.IsStatusConditionTrue(member.Status.Conditions, v1alpha1.MemberOnline), nil
	})
	if err != nil {
		said, _ := os.ReadFile(p.Agent.Log)
		return fmt.Errorf("the agent has not registered: %w; conditions: %+v\n%s", err, member.Status.Conditions, said)
	}
	return nil
}

// chart applies everything of a chart but what needs nodes.
func (p *ControlPlanes) chart(ctx context.Context, plane *ControlPlane, release, chart, values string) error {
	helm, err := p.harness.Part("helm")
	if err != nil {
		return err
	}
	text, err := output(ctx, p.harness.Root, "", values, strings.TrimSpace(helm), "template", release, chart,
		"--namespace", Namespace, "--include-crds", "--values", "-")
	if err != nil {
		return err
	}
	return plane.apply(ctx, text, func(kind string) bool { return kind != "Deployment" })
}

// apply applies YAML documents of the wanted kinds, definitions first, and waits until the definitions are served.
func (p *ControlPlane) apply(ctx context.Context, text []byte, wanted func(kind string) bool) error {
	var definitions, others []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096); ; {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		object := &unstructured.Unstructured{}
		if len(raw) == 0 || string(raw) == "null" {
			continue
		}
		if err := object.UnmarshalJSON(raw); err != nil {
			return err
		}
		switch kind := object.GetKind(); {
		case !wanted(kind):
		case kind == "CustomResourceDefinition":
			definitions = append(definitions, object)
		default:
			others = append(others, object)
		}
	}
	for _, object := range append(definitions, others...) {
		if err := p.applyOne(ctx, object); err != nil {
			return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}

func (p *ControlPlane) applyOne(ctx context.Context, object *unstructured.Unstructured) error {
	configuration := client.ApplyConfigurationFromUnstructured(object)
	if err := p.Client.Apply(ctx, configuration, client.FieldOwner("bench"), client.ForceOwnership); err != nil {
		return err
	}
	if object.GetKind() != "CustomResourceDefinition" {
		return nil
	}
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		if err := p.Client.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return false, nil
		}
		conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions") // null at first, which is none
		for _, condition := range conditions {
			if c, ok := condition.(map[string]any); ok && c["type"] == "Established" && c["status"] == "True" {
				return true, nil
			}
		}
		return false, nil
	})
}
