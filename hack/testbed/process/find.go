package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Read reads what was written down about a process of the cluster whose directory is given.
func Read(dir, name string) (Record, error) {
	content, err := os.ReadFile(recordFile(dir, name))
	if err != nil {
		return Record{}, err
	}
	var record Record
	if err := json.Unmarshal(content, &record); err != nil {
		return Record{}, fmt.Errorf("%s: %w", recordFile(dir, name), err)
	}
	return record, nil
}

// List reads what was written down about all processes of the cluster.
func List(dir string) ([]Record, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "processes"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var records []Record
	for _, e := range entries {
		// A record that a crash left half written says nothing; the cgroup still finds the process.
		if record, err := Read(dir, strings.TrimSuffix(e.Name(), ".json")); err == nil {
			records = append(records, record)
		}
	}
	return records, nil
}

// Alive says whether the very process that was recorded still runs.
func (r Record) Alive() bool {
	begun, err := startTime(r.PID)
	return err == nil && begun == r.Start
}

// startTime reads when a process began; a zombie counts as gone.
func startTime(pid int) (uint64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseStat(string(content))
}

// parseStat takes the start time out of /proc/<pid>/stat. The command's name comes second, in parentheses, and may
// itself hold blanks and parentheses.
func parseStat(stat string) (uint64, error) {
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	const state, begun = 0, 19 // the third and the 22nd field of the whole line
	if len(fields) <= begun {
		return 0, fmt.Errorf("stat line %q is too short", stat)
	}
	if fields[state] == "Z" || fields[state] == "X" {
		return 0, errors.New("the process has ended")
	}
	return strconv.ParseUint(fields[begun], 10, 64)
}

// InNamespaces lists the processes that live in one of the network namespaces, each given by its file.
func InNamespaces(files ...string) ([]int, error) {
	wanted := map[identity]bool{}
	for _, f := range files {
		if id, err := identify(f); err == nil {
			wanted[id] = true
		}
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if id, err := identify(fmt.Sprintf("/proc/%d/ns/net", pid)); err == nil && wanted[id] {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// identity tells one namespace from another.
type identity struct{ device, inode uint64 }

func identify(file string) (identity, error) {
	var stat syscall.Stat_t
	if err := syscall.Stat(file, &stat); err != nil {
		return identity{}, err
	}
	return identity{stat.Dev, stat.Ino}, nil
}

// KillAll kills what find finds, again and again, until it finds nothing: a process may fork while it is looked for.
func KillAll(deadline time.Time, find func() ([]int, error)) error {
	for {
		pids, err := find()
		if err != nil {
			return err
		}
		pids = slices.DeleteFunc(pids, func(pid int) bool { _, err := startTime(pid); return err != nil })
		if len(pids) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes %v do not die", pids)
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("kill process %d: %w", pid, err)
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
}
