package discovery

import (
	"log"
	"strings"

	"github.com/go-logr/logr"
)

// memberlistLog is memberlist's logger. Network errors are normal here and shown by the View and the metrics, so nothing
// is logged as an error.
func memberlistLog(l logr.Logger) *log.Logger {
	return log.New(lineWriter{l.WithName("memberlist")}, "", 0)
}

type lineWriter struct{ log logr.Logger }

// maxLogLine bounds lines, which quote what others send.
const maxLogLine = 512

func (w lineWriter) Write(p []byte) (int, error) {
	line := strings.TrimSpace(string(p))
	level := 2
	if strings.HasPrefix(line, "[ERR") || strings.HasPrefix(line, "[WARN]") {
		level = 1
	}
	if len(line) > maxLogLine {
		line = line[:maxLogLine]
	}
	w.log.V(level).Info(line)
	return len(p), nil
}
