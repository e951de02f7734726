package process

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hanse-io/hanse/hack/testbed/cgroup"
)

// Spec says what to start and where.
type Spec struct {
	Name      string
	Path      string   // the program
	Args      []string // its arguments, without its own name
	Env       []string // what its environment holds beside the little that it inherits
	Arg0      string   // what it is called by, if not by Path
	Namespace string   // path of the network namespace
	Group     cgroup.Group
	Dir       string // the cluster's directory: logs go to <Dir>/logs, records to <Dir>/processes
}

// Record is what is written down about a started process.
type Record struct {
	Name  string `json:"name"`
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // in clock ticks after boot, from /proc/<pid>/stat
	// At is the wall clock's time of the start, to compare with what the process itself has reported since.
	At time.Time `json:"at"`
}

// Ensure starts the process unless it is running already.
func Ensure(spec Spec) (Record, error) {
	if record, err := Read(spec.Dir, spec.Name); err == nil && record.Alive() {
		return record, nil
	}
	var record Record
	// The thread takes on the cluster's network namespace and cgroup, so that the child is born in them.
	err := OnThread(func() (err error) {
		record, err = start(spec)
		return err
	})
	if err != nil {
		return Record{}, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	return record, write(spec.Dir, record)
}

func start(spec Spec) (Record, error) {
	for _, dir := range []string{"logs", "processes"} {
		if err := os.MkdirAll(filepath.Join(spec.Dir, dir), 0o755); err != nil {
			return Record{}, err
		}
	}
	log, err := os.OpenFile(LogFile(spec.Dir, spec.Name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return Record{}, err
	}
	defer log.Close()
	cmd := exec.Command(spec.Path, spec.Args...)
	if spec.Arg0 != "" {
		cmd.Args[0] = spec.Arg0
	}
	cmd.Dir, cmd.Stdout, cmd.Stderr = spec.Dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Env = append(environment(os.Environ()), spec.Env...)
	if cgroup.Unified() {
		dir, err := os.Open(spec.Group.Directory())
		if err != nil {
			return Record{}, err
		}
		defer dir.Close()
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(dir.Fd())
	} else if err := spec.Group.EnterThread(unix.Gettid()); err != nil {
		return Record{}, err
	}
	namespace, err := os.Open(spec.Namespace)
	if err != nil {
		return Record{}, err
	}
	defer namespace.Close()
	if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
		return Record{}, fmt.Errorf("enter %s: %w", spec.Namespace, err)
	}
	at := time.Now()
	if err := cmd.Start(); err != nil {
		return Record{}, err
	}
	go func() { _ = cmd.Wait() }() // reaps it, should it end while we still run
	begun, err := startTime(cmd.Process.Pid)
	if err != nil {
		return Record{}, fmt.Errorf("it ended at once, see %s: %w", log.Name(), err)
	}
	return Record{Name: spec.Name, PID: cmd.Process.Pid, Start: begun, At: at}, nil
}

// environment drops what would lead a cluster's programs out of their LAN or to somebody else's cluster.
func environment(all []string) []string {
	var kept []string
	for _, e := range all {
		switch name, _, _ := strings.Cut(e, "="); strings.ToUpper(name) {
		case "PATH", "HOME", "LANG", "TMPDIR":
			kept = append(kept, e)
		}
	}
	return kept
}

// LogFile is where a process of a cluster writes its log.
func LogFile(dir, name string) string { return filepath.Join(dir, "logs", name+".log") }

func recordFile(dir, name string) string { return filepath.Join(dir, "processes", name+".json") }

func write(dir string, record Record) error {
	content, err := json.Marshal(record)
	if err != nil {
		return err
	}
	if err := os.WriteFile(recordFile(dir, record.Name), content, 0o644); err != nil {
		return fmt.Errorf("write down process %s: %w", record.Name, err)
	}
	return nil
}
