package host

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// readerOf is a reader of the plans of a host that answers as serve says, with the client and the address that it uses.
func readerOf(t *testing.T, serve http.HandlerFunc) (r planReader, transport *http.Client, url string) {
	t.Helper()
	server := httptest.NewTLSServer(serve)
	t.Cleanup(server.Close)
	config := bounded(&rest.Config{Host: server.URL, TLSClientConfig: rest.TLSClientConfig{
		CAData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	}})
	transport, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	r, err = newPlanReader(config, transport, scheme, "n")
	if err != nil {
		t.Fatal(err)
	}
	return r, transport, server.URL
}

func eventOf(kind, namespace, name, version, padding string) string {
	plan := &v1alpha1.MemberPlan{}
	plan.Namespace, plan.Name, plan.ResourceVersion, plan.Annotations = namespace, name, version, map[string]string{"padding": padding}
	text, err := json.Marshal(map[string]any{"type": kind, "object": plan})
	if err != nil {
		panic(err)
	}
	return string(text) + "\n"
}

// TestWatch has a host send events of all kinds: which plans are passed on, and which need not be read.
func TestWatch(t *testing.T) {
	for _, row := range []struct {
		why    string
		events []string
		found  []string
		kept   string
		failed bool
	}{
		{why: "a plan is made", events: []string{eventOf("ADDED", "n", "trade", "5", "")}, found: []string{"trade"}, kept: "5"},
		{why: "and changed, twice", events: []string{eventOf("ADDED", "n", "trade", "5", ""), eventOf("MODIFIED", "n", "trade", "12", "")}, found: []string{"trade", "trade"}, kept: "12"},
		{why: "and deleted", events: []string{eventOf("ADDED", "n", "trade", "5", ""), eventOf("DELETED", "n", "trade", "7", "")}, found: []string{"trade", "trade"}},
		{why: "a large one is read by its name", events: []string{eventOf("ADDED", "n", "trade", "5", strings.Repeat("x", recentPlanBytes))}, found: []string{"trade"}},
		{why: "one of another namespace", events: []string{eventOf("ADDED", "other", "trade", "5", "")}, found: []string{"trade"}},
		{why: "one that cannot be decoded is read by its name, which says why", events: []string{`{"type":"ADDED","object":{"metadata":{"name":"trade","resourceVersion":"5"},"spec":7}}`}, found: []string{"trade"}},
		{why: "an object without a name", events: []string{`{"type":"ADDED","object":[]}`, eventOf("ADDED", "n", "trade", "5", "")}, found: []string{"trade"}, kept: "5"},
		{why: "a name that no plan can have", events: []string{eventOf("ADDED", "n", "../secrets", "5", "")}},
		{why: "an error ends it", events: []string{`{"type":"ERROR","object":{"kind":"Status","code":410}}`, eventOf("ADDED", "n", "trade", "5", "")}},
		{why: "what is not JSON ends it", events: []string{"{]", eventOf("ADDED", "n", "trade", "5", "")}, failed: true},
		{why: "it breaks off within an event", events: []string{`{"type":"ADDED","object":{"metadata":`}, failed: true},
	} {
		t.Run(row.why, func(t *testing.T) {
			r, _, _ := readerOf(t, func(w http.ResponseWriter, req *http.Request) {
				if req.URL.Query().Get("watch") != "true" || req.URL.Query().Get("resourceVersion") != "4" {
					t.Errorf("asked for %s", req.URL)
				}
				_, _ = io.WriteString(w, strings.Join(row.events, ""))
			})
			var found []string
			err := r.watch(t.Context(), "4", nameSet{}, func(name string) { found = append(found, name) })
			if (err != nil) != row.failed {
				t.Errorf("error: %v", err)
			}
			if !slices.Equal(found, row.found) {
				t.Errorf("passed on %v, want %v", found, row.found)
			}
			kept := ""
			if plan := r.recent.get("trade"); plan != nil {
				kept = plan.ResourceVersion
			}
			if kept != row.kept {
				t.Errorf("kept version %q, want %q", kept, row.kept)
			}
		})
	}
}

// TestEndlessEvent has a host send one event without end, after a hundred small ones: only one event counts.
func TestEndlessEvent(t *testing.T) {
	r, _, _ := readerOf(t, func(w http.ResponseWriter, req *http.Request) {
		for i := range 100 {
			_, _ = io.WriteString(w, eventOf("ADDED", "n", fmt.Sprintf("plan-%d", i), "5", strings.Repeat("x", 60<<10)))
		}
		_, _ = io.WriteString(w, `{"type":"ADDED","object":{"metadata":{"name":"`)
		for chunk := strings.Repeat("x", 64<<10); req.Context().Err() == nil; {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
		}
	})
	count := 0
	err := r.watch(t.Context(), "4", nameSet{}, func(string) { count++ })
	var large errTooLarge
	if !errors.As(err, &large) || large.limit != maxAnswer || count != 100 {
		t.Errorf("after %d plans: %v", count, err)
	}
}
