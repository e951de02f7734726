package kube

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestExplain(t *testing.T) {
	members := schema.GroupResource{Group: "federation.hanse.io", Resource: "members"}
	unreached := &url.Error{Op: "Get", URL: "https://192.0.2.1:6443/apis?token=secret", Err: errors.New("connection refused")}
	for _, c := range []struct {
		why     string
		err     error
		says    []string
		without string
	}{
		{"a right that is missing is somebody's to give", apierrors.NewForbidden(members, "org1", errors.New("no")), []string{"read Member org1", "ask whoever runs this cluster"}, ""},
		{"credentials that have ended", apierrors.NewUnauthorized("expired"), []string{"log in again"}, "expired"},
		{"a cluster without Hanse's kinds", &meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: members.Group, Kind: "Member"}}, []string{"is it the right one?", "current-context"}, ""},
		{"a cluster that is away, without what the URL carries", unreached, []string{"https://192.0.2.1:6443 does not answer", "connection refused"}, "secret"},
		{"a cluster that is slow", fmt.Errorf("failed to get server groups: %w", context.DeadlineExceeded), []string{"does not answer in time", "--request-timeout"}, ""},
		{"anything else is passed on", errors.New("a plague"), []string{"read Member org1: a plague"}, ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			got := Explain("read Member org1", c.err)
			for _, want := range c.says {
				if !strings.Contains(got.Error(), want) {
					t.Errorf("%v lacks %q", got, want)
				}
			}
			if c.without != "" && strings.Contains(got.Error(), c.without) {
				t.Errorf("%v tells %q", got, c.without)
			}
		})
	}
	if Explain("read", nil) != nil {
		t.Error("nothing is wrong, and an error is told")
	}
	if !errors.Is(Explain("read", unreached.Err), unreached.Err) {
		t.Error("the cause is lost")
	}
}
