package scale

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hanse-io/hanse/hack/bench/controlplanes"
)

// work is what the controller says of its own work.
type work struct {
	// reconciles that have ended since it started, and what waits in its queues or is worked on.
	reconciles, pending float64
}

// readWork asks the controller. ok is false while it does not answer or is not ready: its caches have not synced, or it does
// not lead.
func readWork(ctx context.Context, p *controlplanes.Process) (w work, ok bool) {
	ready, err := get(ctx, p.Health+"/readyz")
	if err != nil {
		return w, false
	}
	ready.Body.Close()
	response, err := get(ctx, p.Metrics+"/metrics")
	if err != nil {
		return w, false
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return w, false
	}
	w.reconciles = sum(string(text), "controller_runtime_reconcile_total")
	w.pending = sum(string(text), "workqueue_depth") + sum(string(text), "controller_runtime_active_workers")
	return w, true
}

func get(ctx context.Context, address string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err == nil && response.StatusCode != http.StatusOK {
		response.Body.Close()
		err = fmt.Errorf("%s: %s", address, response.Status)
	}
	return response, err
}

// sum adds up a metric's samples in Prometheus' text format, whatever their labels.
func sum(text, metric string) (total float64) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		labels, ok := strings.CutPrefix(line, metric)
		if !ok || !strings.HasPrefix(labels, "{") && !strings.HasPrefix(labels, " ") {
			continue
		}
		value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err == nil {
			total += value
		}
	}
	return total
}

// idle waits until the controller is ready and has had nothing to do for a while, and returns when it began to have nothing
// to do.
func idle(ctx context.Context, p *controlplanes.Process, limit time.Duration) (since time.Time, last work, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	since = time.Now()
	for {
		now, ok := readWork(ctx, p)
		if !ok || now.pending > 0 || now != last {
			since, last = time.Now(), now
		}
		if ok && last.reconciles > 0 && time.Since(since) > still {
			return since, last, nil
		}
		select {
		case <-ctx.Done():
			return since, last, fmt.Errorf("the controller still works after %s: %s", limit, strings.TrimSpace(fmt.Sprintf("%+v", now)))
		case <-tick.C:
		}
	}
}
