// Package stage sets Hanse up on a testbed of real clusters in the way a user would: with helm, kubectl and the plugin,
// as programs, through their front doors. The demo, the end-to-end tests and the benchmarks stand on it. It must not
// import the product: what it knows of it is what a user sees.
package stage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Version of the images and charts on the stage.
const Version = "0.1.0"

// Stage is a testbed and the programs that act on it.
type Stage struct {
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
func New(name string, members int, out io.Writer) (*Stage, error) {
	root, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return nil, fmt.Errorf("not inside a clone of Hanse: %w", err)
	}
	s := &Stage{Root: strings.TrimSpace(string(root)), Name: name, Out: out}
	for i := range members {
		s.Members = append(s.Members, fmt.Sprintf("org%d", i+1))
	}
	return s, nil
}

// Bin is the folder of the built programs.
func (s *Stage) Bin(program string) string { return filepath.Join(s.Root, "bin", program) }

// Kubeconfig is the path of a cluster's kubeconfig.
func (s *Stage) Kubeconfig(cluster string) string {
	folder := ".testbed"
	if s.Name != "hanse" {
		folder += "-" + s.Name
	}
	return filepath.Join(s.Root, folder, cluster+".kubeconfig")
}

// run runs a program, with its output in the error if it fails.
func (s *Stage) run(ctx context.Context, cluster string, stdin string, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = s.Root
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(s.Root, "bin")+":"+os.Getenv("PATH"))
	if cluster != "" {
		cmd.Env = append(cmd.Env, "KUBECONFIG="+s.Kubeconfig(cluster))
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
func (s *Stage) stream(ctx context.Context, cluster, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = s.Root
	cmd.Stdout, cmd.Stderr = s.Out, s.Out
	if cluster != "" {
		cmd.Env = append(os.Environ(), "KUBECONFIG="+s.Kubeconfig(cluster))
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", filepath.Base(program), strings.Join(args, " "), err)
	}
	return nil
}

// Testbed runs the testbed program.
func (s *Stage) Testbed(ctx context.Context, args ...string) (string, error) {
	return s.run(ctx, "", "", s.Bin("testbed"), append([]string{"--name", s.Name}, args...)...)
}

// Kubectl runs kubectl on a cluster.
func (s *Stage) Kubectl(ctx context.Context, cluster string, args ...string) (string, error) {
	return s.run(ctx, cluster, "", s.Bin("kubectl"), args...)
}

// Apply applies manifests to a cluster.
func (s *Stage) Apply(ctx context.Context, cluster, manifests string) error {
	_, err := s.run(ctx, cluster, manifests, s.Bin("kubectl"), "apply", "--server-side", "-f", "-")
	return err
}

// Hanse runs `kubectl hanse` on a cluster.
func (s *Stage) Hanse(ctx context.Context, cluster string, args ...string) (string, error) {
	return s.run(ctx, cluster, "", s.Bin("kubectl-hanse"), args...)
}

// phase runs one step, says so, and notes how long it took.
func (s *Stage) phase(name string, step func() error) error {
	fmt.Fprintf(s.Out, "── %s\n", name)
	start := time.Now()
	err := step()
	took := time.Since(start)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Fprintf(s.Out, "   done in %.1fs\n", took.Seconds())
	s.Took = append(s.Took, Phase{Name: name, Seconds: took.Seconds()})
	return nil
}

// Helm runs helm on a cluster.
func (s *Stage) Helm(ctx context.Context, cluster string, args ...string) (string, error) {
	return s.run(ctx, cluster, "", s.Bin("helm"), args...)
}

// Part is the path of a built part, such as Fabric's peer.
func (s *Stage) Part(name string) (string, error) {
	return s.run(context.Background(), "", "", s.Bin("testbed"), "parts", name, "--path")
}

// Sampleconfig is the folder of Fabric's sample configuration.
func (s *Stage) Sampleconfig(ctx context.Context) (string, error) {
	out, err := s.run(ctx, "", "", "go", "-C", filepath.Join(s.Root, "hack/parts/fabric"), "list", "-m", "-f", "{{.Dir}}", "github.com/hyperledger/fabric")
	return filepath.Join(strings.TrimSpace(out), "sampleconfig"), err
}
