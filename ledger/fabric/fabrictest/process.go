package fabrictest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hanse-io/hanse/ledger"
)

// stopPatience is how long a process may take to end by itself, on a machine that is busy with other things.
const stopPatience = 2 * time.Minute

// Process is a running node or contract.
type Process struct {
	Name string
	// Log is the file with everything that it said.
	Log     string
	command *exec.Cmd
	done    chan error
}

// start runs a workload's first container as a process that listens on one address only.
func (n *Network) start(member *Member, workload ledger.Workload) (*Process, error) {
	root := filepath.Join(n.options.Directory, member.Plan.Spec.Member, workload.Name)
	mounts, err := member.mountAll(workload, root)
	if err != nil {
		return nil, err
	}
	address := n.addresses[n.hostOf(member, workload.Name)]
	// The longest names come first: a path is replaced before anything in it.
	replacer := strings.NewReplacer(append(mounts, "0.0.0.0", address, "127.0.0.1", address)...)
	container := workload.Pod.Containers[0]
	environment := []string{
		"PATH=" + n.options.Binaries + ":" + os.Getenv("PATH"), "HOME=" + root, "TMPDIR=" + filepath.Join(root, "tmp"),
		"FABRIC_CFG_PATH=" + filepath.Join(n.options.FabricModule, "sampleconfig"),
	}
	for _, variable := range container.Env {
		environment = append(environment, variable.Name+"="+replacer.Replace(variable.Value))
	}
	arguments := container.Command
	if workload.Contract != nil {
		arguments = []string{n.options.Contract}
		if n.options.Program != nil {
			arguments = []string{n.options.Program(container.Image)}
		}
	}
	return n.run(member, workload.Name, root, environment, arguments)
}

// run starts a command with the Member's hosts file as /etc/hosts.
func (n *Network) run(member *Member, name, root string, environment, arguments []string) (*Process, error) {
	log, err := os.OpenFile(filepath.Join(root, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	inside := append([]string{"sh", "-c", `mount --bind "$0" /etc/hosts && exec "$@"`, n.hostsFile(member)}, arguments...)
	flags := []string{"--mount"}
	if os.Getuid() != 0 {
		flags = []string{"--mount", "--map-root-user"}
	}
	command := exec.Command("unshare", append(flags, inside...)...)
	command.Env, command.Dir, command.Stdout, command.Stderr = environment, root, log, log
	// Its own process group, so that it goes with its children; and with the test, whatever becomes of that.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return nil, err
	}
	process := &Process{Name: name, Log: log.Name(), command: command, done: make(chan error, 1)}
	go func() { process.done <- command.Wait() }()
	return process, nil
}

// Stop ends the process, by force if it does not go.
func (p *Process) Stop() error {
	if err := syscall.Kill(-p.command.Process.Pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	select {
	case <-p.done: //nolint:errcheck // that it has ended is what was asked for
		return nil
	case <-time.After(stopPatience):
		_ = syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL)
		<-p.done //nolint:errcheck // likewise
		return fmt.Errorf("%s had to be killed", p.Name)
	}
}
