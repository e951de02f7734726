//go:build testbed

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/hanse-io/hanse/hack/testbed/parts"
)

const (
	testbedName = "e2e-testbed"
	goarch      = runtime.GOARCH
)

// rig is one testbed under test and the programs to try it with.
type rig struct {
	testbed, probe, kube, dir string
	// dead are sockets that somebody had left on this machine before, which are nothing to this testbed.
	dead []string
}

func newRig(t *testing.T) rig {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	r := rig{testbed: build(t, "./cmd/testbed", "testbed"), probe: build(t, "./e2e/probe", "probe"), kube: kubectl(t), dir: filepath.Join(t.TempDir(), "kubeconfigs")}
	r.dead = deadSockets()
	if left := r.traces(t); len(left) > 0 {
		t.Fatalf("something is there before the test; testbed down --name %s clears it away:\n%s", testbedName, strings.Join(left, "\n"))
	}
	t.Cleanup(func() {
		r.must(t, "down")
		if left := r.traces(t); len(left) > 0 {
			t.Errorf("testbed down has left:\n%s", strings.Join(left, "\n"))
		}
	})
	return r
}

func (r rig) command(args ...string) *exec.Cmd {
	all := append([]string{"--name", testbedName}, args...)
	if args[0] == "up" {
		all = append(all, "--dir", r.dir)
	}
	if programs := os.Getenv("TESTBED_PROGRAMS"); programs != "" && (args[0] == "up" || args[0] == "start") {
		all = append(all, "--programs", programs)
	}
	return exec.Command(r.testbed, all...)
}

func (r rig) try(args ...string) (string, error) {
	var out bytes.Buffer
	cmd := r.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return strings.TrimSpace(out.String()), err
}

func (r rig) must(t *testing.T, args ...string) string {
	t.Helper()
	begun := time.Now()
	out, err := r.try(args...)
	if err != nil {
		t.Fatalf("testbed %v: %v\n%s", args, err, out)
	}
	t.Logf("testbed %v took %v", args, time.Since(begun).Round(100*time.Millisecond))
	return out
}

// kubectl runs kubectl against a cluster. It comes with the testbed's own programs, under its own name.
func (r rig) kubectl(stdin, cluster string, args ...string) (string, error) {
	cmd := exec.Command(r.kube, append([]string{"--kubeconfig", filepath.Join(r.dir, cluster+".kubeconfig")}, args...)...)
	cmd.Args[0] = "kubectl"
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// kubectl finds kubectl: among ready programs, or built.
func kubectl(t *testing.T) string {
	t.Helper()
	if programs := os.Getenv("TESTBED_PROGRAMS"); programs != "" {
		return filepath.Join(programs, "hyperkube")
	}
	built, err := parts.Ensure(context.Background(), os.Stderr, "kubectl")
	check(t, err)
	return built["kubectl"]
}

func eventually(t *testing.T, what string, try func() (string, error)) string {
	t.Helper()
	var out string
	var last error
	err := wait.PollUntilContextTimeout(context.Background(), 250*time.Millisecond, 5*time.Minute, true, func(context.Context) (bool, error) {
		out, last = try()
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("%s: %v\n%s", what, last, out)
	}
	return out
}

// TestDownAfterCrash kills testbed up at several moments: down clears away whatever was made until then.
func TestDownAfterCrash(t *testing.T) {
	r := newRig(t)
	for _, stage := range []string{"state", "network", "process"} {
		up := r.command("up", "--members", "1")
		up.Stdout, up.Stderr = io.Discard, io.Discard
		check(t, up.Start())
		t.Cleanup(func() { _ = up.Process.Kill() })
		eventually(t, "stage "+stage, func() (string, error) { return "", r.reached(stage) })
		check(t, up.Process.Signal(syscall.SIGKILL))
		_ = up.Wait()
		r.must(t, "down")
		if left := r.traces(t); len(left) > 0 {
			t.Errorf("after a crash at stage %s testbed down has left:\n%s", stage, strings.Join(left, "\n"))
		}
	}
}

func (r rig) reached(stage string) error {
	file := map[string]string{
		"state":   "/var/lib/testbed/" + testbedName + "/testbed.json",
		"network": "/run/netns/" + testbedName + ".org1.border",
		"process": "/var/lib/testbed/" + testbedName + "/org1/processes/kube-apiserver.json",
	}[stage]
	_, err := os.Stat(file)
	return err
}

func TestTestbed(t *testing.T) {
	r := newRig(t)
	r.must(t, "up", "--members", "1")
	t.Run("nodes are ready", func(t *testing.T) {
		for _, cluster := range []string{"host", "org1"} {
			out, err := r.kubectl("", cluster, "get", "nodes", "--no-headers")
			if err != nil || !slices.Contains(strings.Fields(out), "Ready") {
				t.Errorf("%s: %v\n%s", cluster, err, out)
			}
		}
	})
	t.Run("traces are seen where they are", func(t *testing.T) { r.visible(t) })
	t.Run("a restricted pod has DNS, a volume, logs and exec", func(t *testing.T) { r.pod(t) })
	t.Run("NetworkPolicies hold", func(t *testing.T) { r.policies(t) })
	t.Run("up again changes nothing", func(t *testing.T) { r.must(t, "up", "--members", "1") })
	t.Run("only what may cross a border does", func(t *testing.T) { r.borders(t) })
	t.Run("a line is cut, restored, slowed and delayed", func(t *testing.T) { r.cut(t) })
	t.Run("the library does the same", func(t *testing.T) { r.library(t) })
	t.Run("a killed cluster comes back with its data", func(t *testing.T) { r.revive(t) })
}

// visible makes sure that the search for what down leaves is not blind: while the testbed is up, it sees every kind.
func (r rig) visible(t *testing.T) {
	all := strings.Join(r.traces(t), "\n")
	for _, kind := range []string{"process ", "mount ", "interface ", "namespace ", "file /sys/fs/cgroup", "file /var/lib/testbed",
		"file /var/lib/cni", "file /var/log/containers", "file " + r.dir} {
		if !strings.Contains(all, kind) {
			t.Errorf("a testbed that is up shows no %s", kind)
		}
	}
}

func (r rig) pod(t *testing.T) {
	r.must(t, "load", archive(t, r.probe), "--cluster", "org1")
	manifest, err := os.ReadFile("testdata/pod.yaml")
	check(t, err)
	eventually(t, "apply", func() (string, error) { return r.kubectl(string(manifest), "org1", "apply", "-f", "-") })
	eventually(t, "the pod is ready", func() (string, error) {
		return r.kubectl("", "org1", "-n", "restricted", "wait", "--for=condition=Ready", "pod/probe", "--timeout=240s")
	})
	for _, try := range []struct {
		why  string
		args []string
		want string
	}{
		{"DNS knows the cluster's names", []string{"exec", "probe", "--", "/probe", "resolve", "kubernetes.default"}, "[10.43.0.1]"},
		{"the volume can be written to", []string{"exec", "probe", "--", "/probe", "write", "/data/kept", "ledger"}, ""},
		{"the kubelet hands out logs", []string{"logs", "probe"}, "serving :8080"},
	} {
		out, err := r.kubectl("", "org1", append([]string{"-n", "restricted"}, try.args...)...)
		if err != nil || out != try.want {
			t.Errorf("%s: %q, %v", try.why, out, err)
		}
	}
}

// borders serves on the host's node: on a port that is nobody's business, and the API that members may reach.
func (r rig) borders(t *testing.T) {
	server := r.command("exec", "host", "--", r.probe, "serve", ":7443")
	check(t, server.Start())
	defer func() { _ = server.Process.Kill(); _ = server.Wait() }()
	eventually(t, "serve on the host's LAN", func() (string, error) {
		return r.try("exec", "host", "--", r.probe, "dial", "192.168.0.10:7443")
	})
	host := r.must(t, "address", "host", "--from", "org1")
	member := r.must(t, "address", "org1", "--from", "host")
	for _, try := range []struct {
		why, from, to string
		ok            bool
	}{
		{"a member reaches the host's API over the line", "org1", host + ":6443", true},
		{"the host reaches no member's API", "host", member + ":6443", false},
		{"the same address on another LAN is another machine", "org1", "192.168.0.10:7443", false},
		{"a port of the node is no port of the line", "org1", host + ":22", false},
		{"nobody listens at the gateway's node port yet", "org1", host + ":7443", false},
		{"a cluster's management address is for this machine alone", "org1", "10.213.0.1:22", false},
	} {
		out, err := r.try("exec", try.from, "--", r.probe, "dial", try.to)
		if (err == nil) != try.ok {
			t.Errorf("%s: %s to %s: %v %s", try.why, try.from, try.to, err, out)
		}
	}
}

func (r rig) cut(t *testing.T) {
	dial := []string{"exec", "org1", "--", r.probe, "dial", r.must(t, "address", "host", "--from", "org1") + ":6443"}
	r.must(t, "line", "cut", "org1", "host")
	if out, err := r.try(dial...); err == nil {
		t.Errorf("a cut line still carries: %s", out)
	}
	r.must(t, "line", "restore", "org1", "host")
	eventually(t, "the restored line carries", func() (string, error) { return r.try(dial...) })
	if out := r.must(t, "line", "slow", "org1", "host", "--rate", "1mbit"); !strings.Contains(out, "slowed to 1Mbit") {
		t.Errorf("slowed line: %s", out)
	}
	if out := r.must(t, "line", "delay", "org1", "host", "--by", "30ms"); !strings.Contains(out, "delayed by 30ms") {
		t.Errorf("delayed line: %s", out)
	}
	eventually(t, "the delayed line carries", func() (string, error) { return r.try(dial...) })
}

func (r rig) revive(t *testing.T) {
	r.must(t, "kill", "org1")
	if out, err := r.kubectl("", "org1", "get", "nodes", "--request-timeout=2s"); err == nil {
		t.Errorf("a killed cluster answers: %s", out)
	}
	if out, err := r.kubectl("", "host", "get", "nodes"); err != nil {
		t.Errorf("the other cluster died too: %v %s", err, out)
	}
	r.must(t, "start", "org1")
	eventually(t, "the volume has kept what was written", func() (string, error) {
		out, err := r.kubectl("", "org1", "-n", "restricted", "exec", "probe", "--", "/probe", "read", "/data/kept")
		if err == nil && out != "ledger" {
			err = fmt.Errorf("it holds %q", out)
		}
		return out, err
	})
}
