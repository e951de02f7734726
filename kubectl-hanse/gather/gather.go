package gather

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/kubectl-hanse/check"
	"github.com/hanse-io/hanse/kubectl-hanse/gather/redact"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
)

// requestTimeout is for what is asked at a time; a log may take longer than an object.
const requestTimeout = 2 * time.Minute

// gatherer reads one cluster into one bundle.
type gatherer struct {
	cluster *kube.Cluster
	source  LogSource
	// release is the namespace that Hanse is installed in, and only the one namespace that was asked for.
	release, only string
	since         time.Duration
	logLimit      int64
	version       string
	progress      io.Writer
	// redactor knows the values of the Secrets that may be read.
	redactor func(values ...string) redactor

	bundle *bundle
}

func knowing(values ...string) redactor { return redact.New(values...) }

// run writes the bundle to out. What fails is left out; it is an error only if the bundle cannot be written.
func (g *gatherer) run(ctx context.Context, out io.Writer, folder string, now time.Time) (Manifest, error) {
	spaces, why := g.namespaces(ctx)
	descriptions, values, unread := map[string][]SecretDescription{}, []string{}, map[string]error{}
	g.say("Secrets: names and sizes")
	for _, n := range spaces {
		found, secret, err := g.secrets(ctx, n)
		if err != nil {
			unread[n] = err
			continue
		}
		descriptions[n], values = found, append(values, secret...)
	}
	g.bundle = newBundle(out, folder, g.redactor(values...), now)
	g.bundle.manifest.Plugin = g.version
	if why != nil {
		g.bundle.leaveOut("namespaces of consortia that are not in a plan", "%s", explain(why))
	}
	for _, n := range spaces {
		if err := unread[n]; err != nil {
			g.bundle.leaveOut(fileName("namespaces", n, "secrets.yaml"), "%s", explain(err))
		} else if len(descriptions[n]) > 0 {
			g.bundle.addYAML(fileName("namespaces", n, "secrets.yaml"), descriptions[n])
		}
	}
	g.bundle.leaveOut("data of Secrets", "never: names, types, keys and sizes only; Helm's records of releases are not read at all")
	g.versions()
	g.outcome(ctx)
	g.whole(ctx)
	for _, n := range spaces {
		if ctx.Err() != nil {
			g.bundle.leaveOut("namespace "+n, "%s", ctx.Err())
			continue
		}
		g.namespace(ctx, n)
	}
	return g.bundle.manifest, g.bundle.close()
}

func (g *gatherer) say(text string, args ...any) {
	fmt.Fprintf(g.progress, "gather: "+text+"\n", args...)
}

// namespaces are Hanse's: that of the release, and those that Hanse has made. The error is why the latter may not be all.
func (g *gatherer) namespaces(ctx context.Context) ([]string, error) {
	if g.only != "" {
		return []string{g.only}, nil
	}
	names := []string{g.release}
	list, err := g.cluster.Clientset.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: v1alpha1.LabelManagedBy + "=" + v1alpha1.ManagedBy})
	if err == nil {
		for _, n := range list.Items {
			names = append(names, n.Name)
		}
	} else {
		var plans v1alpha1.MemberPlanList
		if g.cluster.Client.List(ctx, &plans) == nil {
			for _, plan := range plans.Items {
				names = append(names, plan.Namespace, plan.Spec.Namespace)
			}
		}
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(n string) bool { return n == "" }), err
}

func (g *gatherer) versions() {
	info, err := g.cluster.Clientset.Discovery().ServerVersion()
	if err != nil {
		g.bundle.leaveOut("versions", "%s", explain(err))
		return
	}
	g.bundle.manifest.Cluster = info.GitVersion
	g.bundle.addYAML("versions.yaml", map[string]any{"plugin": g.version, "kubernetes": info})
}

// outcome adds what `kubectl hanse check` says.
func (g *gatherer) outcome(ctx context.Context) {
	g.say("checks")
	report, err := check.Installed(ctx, g.cluster, g.release, g.version)
	if err != nil {
		g.bundle.leaveOut("check.txt", "%s", explain(err))
		return
	}
	g.bundle.add("check.txt", func(w io.Writer) error {
		_, err := io.WriteString(w, report.Text())
		return err
	})
	g.bundle.addYAML("check.yaml", report)
}

// whole adds what belongs to no namespace, and Hanse's objects of all namespaces.
func (g *gatherer) whole(ctx context.Context) {
	g.say("Hanse's objects")
	for _, k := range append(slices.Clone(ours), ofCluster...) {
		g.objects(ctx, k, "")
	}
}

// namespace adds what is in one of Hanse's namespaces. Those of the host for members and statements have no workloads.
func (g *gatherer) namespace(ctx context.Context, name string) {
	g.say("namespace %s", name)
	g.objects(ctx, events, name)
	for _, k := range ofNamespace {
		bare := strings.HasPrefix(name, v1alpha1.MemberNamespace("")) || strings.HasPrefix(name, "hanse-shared-")
		if !bare || slices.Contains([]string{"Lease", "ServiceAccount", "ResourceQuota"}, k.kind) {
			g.objects(ctx, k, name)
		}
	}
	pods, err := g.cluster.Clientset.CoreV1().Pods(name).List(ctx, metav1.ListOptions{})
	if err != nil {
		g.bundle.leaveOut("logs and metrics of namespace "+name, "%s", explain(err))
		return
	}
	for _, pod := range pods.Items {
		g.pod(ctx, pod)
	}
}

func (g *gatherer) pod(ctx context.Context, pod corev1.Pod) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	g.logs(ctx, pod)
	g.metrics(ctx, pod)
}
