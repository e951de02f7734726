package namespacecache

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestIsUnknownVersion(t *testing.T) {
	resource := schema.GroupResource{Resource: "configmaps"}
	for _, c := range []struct {
		why  string
		err  error
		want bool
	}{
		{"the version is too old", apierrors.NewResourceExpired("too old resource version"), true},
		{"the same, wrapped", fmt.Errorf("watch: %w", apierrors.NewResourceExpired("gone")), true},
		{"a version that etcd does not have any more, restored from a backup", apierrors.NewTimeoutError("Too large resource version", 1), true},
		{"no rights at the moment", apierrors.NewForbidden(resource, "", errors.New("no")), true},
		{"the API server is busy", apierrors.NewTooManyRequests("later", 1), false},
		{"the API server starts", apierrors.NewServiceUnavailable("not yet"), false},
		{"the connection broke", io.ErrUnexpectedEOF, false},
		{"the watch ended at once", io.EOF, false},
	} {
		if got := isUnknownVersion(c.err); got != c.want {
			t.Errorf("%s: %t", c.why, got)
		}
	}
}

func TestDelay(t *testing.T) {
	for failures, least := range map[int]time.Duration{1: firstDelay, 2: 2 * firstDelay, 4: 8 * firstDelay, 60: maxDelay} {
		if got := delay(failures); got < least || got >= 2*least {
			t.Errorf("after %d failures %s, want %s to %s", failures, got, least, 2*least)
		}
	}
}
