package controlplanes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a program of the product, or of Kubernetes, that runs until it is stopped.
type Process struct {
	Name string
	// Log is the file with everything that it said.
	Log string
	// Metrics, Health and profiles are the addresses at which the process serves these; empty where it serves none.
	Metrics, Health string
	profiles        string
	cmd             *exec.Cmd
	done            chan struct{}
}

func startProcess(dir, kubeconfig, program string, environment []string, args ...string) (*Process, error) {
	name := filepath.Base(program)
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(program, args...)
	cmd.Env = append(append(os.Environ(), "KUBECONFIG="+kubeconfig), environment...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{Name: name, Log: log.Name(), cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Stop ends the process, by force if it does not go.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// Running is an error with the end of its log if the process has ended.
func (p *Process) Running() error {
	select {
	case <-p.done:
		said, _ := os.ReadFile(p.Log)
		return fmt.Errorf("%s has ended: …%s", p.Name, said[max(0, len(said)-1000):])
	default:
		return nil
	}
}

// RSS is the resident memory of the process in MB (10^6 bytes).
func (p *Process) RSS() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("%s has ended; see %s: %w", p.Name, p.Log, err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("/proc says nothing about the memory of %s", p.Name)
}

// freeAddress is a local address at which nothing listens.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// runProduct runs a program of the product, which serves metrics, probes and profiles at free addresses.
func (p *ControlPlanes) runProduct(plane *ControlPlane, kubeconfig, program string, environment []string, args ...string) (*Process, error) {
	var addresses []string
	for _, flag := range []string{"--metrics-address=", "--health-address=", "--pprof-address="} {
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		addresses, args = append(addresses, address), append(args, flag+address)
	}
	process, err := p.run(plane, kubeconfig, p.harness.Bin(program), environment, args...)
	if err == nil {
		process.Metrics, process.Health, process.profiles = addresses[0], addresses[1], addresses[2]
	}
	return process, err
}

// Profile writes one of the process's profiles, such as "heap?gc=1" or "goroutine?debug=1", into a file.
func (p *Process) Profile(ctx context.Context, profile, file string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.profiles+"/debug/pprof/"+profile, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("profile %s of %s: %w", profile, p.Name, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("profile %s of %s: %s: %w", profile, p.Name, response.Status, err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

// Memory writes profiles of what the process keeps in memory, and of its goroutines, into a directory.
func (p *Process) Memory(ctx context.Context, dir, name string) error {
	return errors.Join(
		p.Profile(ctx, "heap?gc=1", filepath.Join(dir, p.Name+"-"+name+"-heap.pprof")),
		p.Profile(ctx, "heap?debug=1", filepath.Join(dir, p.Name+"-"+name+"-memstats.txt")),
		p.Profile(ctx, "goroutine?debug=1", filepath.Join(dir, p.Name+"-"+name+"-goroutines.txt")),
	)
}

// output runs a program to its end.
func output(ctx context.Context, root, kubeconfig, stdin, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = root
	if kubeconfig != "" {
		cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	}
	cmd.Stdin = strings.NewReader(stdin)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", filepath.Base(program), strings.Join(args, " "), err, strings.TrimSpace(errOut.String()))
	}
	return out.Bytes(), nil
}
