// Package harness sets Hanse up on a testbed of real clusters in the way a user would: with helm, kubectl and the plugin,
// as programs, from outside. The demo, the end-to-end tests and the benchmarks stand on it. It must not
// import the product: what it knows of it is what a user sees.
package harness

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Version of the images and charts that it installs.
const Version = "0.2.0"

// ContractVersion is the version of the contracts that ship with Hanse.
const ContractVersion = "0.1.0"

// Harness is a testbed and the programs that act on it.
type Harness struct {
	// Root of the clone.
	Root string
	// Name of the testbed; two testbeds with different names live side by side.
	Name string
	// Members are the organizations' clusters.
	Members []string
	// Out takes the progress.
	Out io.Writer
	// Took records each phase in turn.
	Took []Phase
}

// Phase is one measured step.
type Phase struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// New finds the clone that the working directory is in.
func New(name string, members int, out io.Writer) (*Harness, error) {
	root, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return nil, fmt.Errorf("not inside a clone of Hanse: %w", err)
	}
	h := &Harness{Root: strings.TrimSpace(string(root)), Name: name, Out: out}
	for i := range members {
		h.Members = append(h.Members, fmt.Sprintf("org%d", i+1))
	}
	return h, nil
}

// Bin is the folder of the built programs.
func (h *Harness) Bin(program string) string { return filepath.Join(h.Root, "bin", program) }

// Kubeconfig is the path of a cluster's kubeconfig.
func (h *Harness) Kubeconfig(cluster string) string {
	folder := ".testbed"
	if h.Name != "hanse" {
		folder += "-" + h.Name
	}
	return filepath.Join(h.Root, folder, cluster+".kubeconfig")
}

// stopTime is how long a program has to end once its context is done: what it has started ends with it.
const stopTime = 10 * time.Second

// run runs a program, with its output in the error if it fails.
func (h *Harness) run(ctx context.Context, cluster string, stdin string, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(syscall.SIGTERM) }, stopTime
	cmd.Dir = h.Root
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(h.Root, "bin")+":"+os.Getenv("PATH"))
	if cluster != "" {
		cmd.Env = append(cmd.Env, "KUBECONFIG="+h.Kubeconfig(cluster))
	}
	if stdin != "" {
		cmd.Stdin = strings.NewReader(stdin)
	}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(args, " "), err, strings.TrimSpace(errOut.String()+"\n"+out.String()))
	}
	return out.String(), nil
}

// stream runs a program and passes on what it prints.
func (h *Harness) stream(ctx context.Context, cluster, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = h.Root
	cmd.Stdout, cmd.Stderr = h.Out, h.Out
	if cluster != "" {
		cmd.Env = append(os.Environ(), "KUBECONFIG="+h.Kubeconfig(cluster))
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", filepath.Base(program), strings.Join(args, " "), err)
	}
	return nil
}

// Testbed runs the testbed program.
func (h *Harness) Testbed(ctx context.Context, args ...string) (string, error) {
	return h.run(ctx, "", "", h.Bin("testbed"), append([]string{"--name", h.Name}, args...)...)
}

// Kubectl runs kubectl on a cluster.
func (h *Harness) Kubectl(ctx context.Context, cluster string, args ...string) (string, error) {
	return h.run(ctx, cluster, "", h.Bin("kubectl"), args...)
}

// Apply applies manifests to a cluster.
func (h *Harness) Apply(ctx context.Context, cluster, manifests string) error {
	_, err := h.run(ctx, cluster, manifests, h.Bin("kubectl"), "apply", "--server-side", "-f", "-")
	return err
}

// Hanse runs `kubectl hanse` on a cluster.
func (h *Harness) Hanse(ctx context.Context, cluster string, args ...string) (string, error) {
	return h.run(ctx, cluster, "", h.Bin("kubectl-hanse"), args...)
}

// phase runs one step, says so, and notes how long it took.
func (h *Harness) phase(name string, step func() error) error {
	fmt.Fprintf(h.Out, "── %s\n", name)
	start := time.Now()
	err := step()
	took := time.Since(start)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Fprintf(h.Out, "   done in %.1fs\n", took.Seconds())
	h.Took = append(h.Took, Phase{Name: name, Seconds: took.Seconds()})
	return nil
}

// Helm runs helm on a cluster.
func (h *Harness) Helm(ctx context.Context, cluster string, args ...string) (string, error) {
	return h.run(ctx, cluster, "", h.Bin("helm"), args...)
}

// Part is the path of a built part, such as Fabric's peer.
func (h *Harness) Part(name string) (string, error) {
	return h.run(context.Background(), "", "", h.Bin("testbed"), "parts", name, "--path")
}

// Sampleconfig is the folder of Fabric's sample configuration.
func (h *Harness) Sampleconfig(ctx context.Context) (string, error) {
	out, err := h.run(ctx, "", "", "go", "-C", filepath.Join(h.Root, "hack/parts/fabric"), "list", "-m", "-f", "{{.Dir}}", "github.com/hyperledger/fabric")
	return filepath.Join(strings.TrimSpace(out), "sampleconfig"), err
}
