package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// watchSeconds is the timeout of a watch; then the names are listed again.
const watchSeconds = "1800"

// watch passes on the plans that change after a version, and keeps those that are small, which spares reading them. It ends with
// ctx, with the watch, and at an event that is no plan.
func (r planReader) watch(ctx context.Context, version string, known nameSet, found func(string)) error {
	body, err := r.plans.Get().Namespace(r.namespace).Resource("memberplans").
		Param("watch", "true").Param("resourceVersion", version).Param("timeoutSeconds", watchSeconds).Stream(ctx)
	if err != nil {
		return fmt.Errorf("watch the host's plans: %w", err)
	}
	defer func() { _ = body.Close() }()
	events := &eventReader{body: body}
	decoder := json.NewDecoder(events)
	for {
		events.left = maxAnswer
		var event struct {
			Type   watch.EventType `json:"type"`
			Object json.RawMessage `json:"object"`
		}
		err := decoder.Decode(&event)
		switch {
		case ctx.Err() != nil, errors.Is(err, io.EOF), err == nil && event.Type == watch.Error:
			return nil
		case err != nil:
			return fmt.Errorf("watch the host's plans: %w", err)
		}
		r.take(event.Type, event.Object, known, found)
	}
}

// take passes on the plan of an event. What cannot be decoded is read by its name, for which the reasons are reported.
func (r planReader) take(kind watch.EventType, raw []byte, known nameSet, found func(string)) {
	var about metav1.PartialObjectMetadata
	if err := json.Unmarshal(raw, &about); err != nil {
		return
	}
	r.shown(&about, known, func(name string) {
		if kind != watch.Deleted && len(raw) <= recentPlanBytes {
			if plan, err := decode(raw, name, r.namespace); err == nil {
				r.recent.keep(plan, len(raw))
			}
		}
		found(name)
	})
}

// eventReader reads a watch, and no event of more than left bytes: the decoder holds one event at a time.
type eventReader struct {
	body io.Reader
	left int64
}

func (e *eventReader) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, errTooLarge{maxAnswer}
	}
	n, err := e.body.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	return n, err
}
