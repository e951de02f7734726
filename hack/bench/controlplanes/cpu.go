package controlplanes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"k8s.io/client-go/kubernetes"
)

// CPU is how many seconds of CPU time each of the programs has used so far, this one among them. What else the machine
// does makes a change slow but does not make it dearer.
func (p *ControlPlanes) CPU() map[string]float64 {
	used := map[string]float64{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has just ended
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		pid := filepath.Base(filepath.Dir(file))
		if own := strconv.Itoa(os.Getpid()); fields[1] != own && pid != own {
			continue
		}
		user, _ := strconv.ParseFloat(fields[11], 64)
		system, _ := strconv.ParseFloat(fields[12], 64)
		used[p.nameOf(pid)] += (user + system) / 100
	}
	return used
}

// nameOf tells the two API servers apart by the file that they log to.
func (p *ControlPlanes) nameOf(pid string) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%s/cmdline", pid))
	arguments := strings.Split(string(text), "\x00")
	name := filepath.Base(arguments[0])
	for side, plane := range map[string]*ControlPlane{"host ": p.Host, "member ": p.Own} {
		if plane != nil && strings.Contains(string(text), "--audit-log-path="+plane.audit) {
			return side + name
		}
	}
	if len(arguments) > 1 && name == "hyperkube" {
		return arguments[1]
	}
	return name
}

// Profile writes CPU profiles of both API servers over so many seconds into a directory, for go tool pprof.
func (p *ControlPlanes) Profile(ctx context.Context, seconds int, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var both sync.WaitGroup
	failed := make([]error, 2)
	for i, plane := range []*ControlPlane{p.Host, p.Own} {
		both.Go(func() {
			clients, err := kubernetes.NewForConfig(plane.Config)
			if err != nil {
				failed[i] = err
				return
			}
			text, err := clients.RESTClient().Get().AbsPath("/debug/pprof/profile").Param("seconds", strconv.Itoa(seconds)).DoRaw(ctx)
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, filepath.Base(plane.dir)+"-apiserver.pprof"), text, 0o644)
			}
			failed[i] = err
		})
	}
	both.Wait()
	return errors.Join(failed...)
}
