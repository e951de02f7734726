package cluster

import (
	"os"
	"strconv"
	"strings"
)

const sysResource = 24 // the number of CAP_SYS_RESOURCE

// mayRaisePriority says whether this process holds CAP_SYS_RESOURCE, without which no process may shield itself from
// the out-of-memory killer, and runc fails to start a container that is told to.
func mayRaisePriority() bool {
	status, err := os.ReadFile("/proc/self/status")
	return err == nil && hasCapability(string(status), sysResource)
}

func hasCapability(status string, number int) bool {
	for line := range strings.Lines(status) {
		if mask, ok := strings.CutPrefix(line, "CapEff:"); ok {
			set, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
			return err == nil && set&(1<<number) != 0
		}
	}
	return false
}
