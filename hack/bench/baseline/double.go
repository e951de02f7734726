package baseline

import (
	"context"
	"runtime"
	"syscall"
	"time"
)

// doubleWork has this process use, until ctx ends, one more second of CPU for every second that it uses otherwise.
func doubleWork(ctx context.Context) {
	runtime.LockOSThread() // this thread's own CPU time is what has been added
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for added := cpuTime(rusageThread); added < cpuTime(syscall.RUSAGE_SELF)-added; added = cpuTime(rusageThread) {
		}
	}
}

// rusageThread is RUSAGE_THREAD (getrusage(2)), which package syscall lacks.
const rusageThread = 1

func cpuTime(who int) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(who, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
