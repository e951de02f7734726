// Package scrape reads metrics in tests as Prometheus does. It must know nothing of what they mean.
package scrape

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Hanse is a registry's metrics of Hanse in the text format, sorted, without comments.
func Hanse(t *testing.T, from prometheus.Gatherer) []string {
	t.Helper()
	response := httptest.NewRecorder()
	promhttp.HandlerFor(from, promhttp.HandlerOpts{}).ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if response.Code != http.StatusOK {
		t.Fatalf("scrape: %d %s", response.Code, response.Body)
	}
	var found []string
	for line := range strings.Lines(response.Body.String()) {
		if strings.HasPrefix(line, "hanse_") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}
