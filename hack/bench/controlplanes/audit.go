package controlplanes

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"time"
)

// policy has the API server log the product's own requests and nobody else's.
const policy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [ResponseStarted, Panic]
rules:
- level: Metadata
  userGroups: ["hanse:members", "system:serviceaccounts:hanse-system"]
- level: None
`

// Request is one request of the product as the API server saw it.
type Request struct {
	User, Verb, Resource, Subresource, Namespace, Name string
	// Received and Answered are the API server's own times. A watch has been received but not answered while it lasts.
	Received, Answered time.Time
	Code               int
}

// Requests reads the log from an offset on and returns the offset after it. Watches are in it when they begin, other
// requests when they are answered.
func (p *ControlPlane) Requests(from int64) (requests []Request, next int64, err error) {
	file, err := os.Open(p.audit)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, from, err
	}
	defer file.Close()
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		return nil, from, err
	}
	for r := bufio.NewReader(file); ; {
		line, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return requests, from, nil
		}
		if err != nil {
			return nil, from, err
		}
		from += int64(len(line))
		if request, ok := parse(line); ok {
			requests = append(requests, request)
		}
	}
}

func parse(line string) (Request, bool) {
	var event struct {
		Stage, Verb              string
		User                     struct{ Username string }
		RequestReceivedTimestamp time.Time
		StageTimestamp           time.Time
		ResponseStatus           struct{ Code int }
		ObjectRef                struct{ Resource, Namespace, Name, Subresource string }
	}
	if err := json.Unmarshal([]byte(line), &event); err != nil {
		return Request{}, false
	}
	// A long-running request counts once, when it begins; others once, when they are answered.
	if watch := event.Verb == "watch"; watch != (event.Stage == "RequestReceived") {
		return Request{}, false
	}
	return Request{
		User: event.User.Username, Verb: event.Verb, Resource: event.ObjectRef.Resource, Subresource: event.ObjectRef.Subresource,
		Namespace: event.ObjectRef.Namespace, Name: event.ObjectRef.Name,
		Received: event.RequestReceivedTimestamp, Answered: event.StageTimestamp, Code: event.ResponseStatus.Code,
	}, true
}

// Of says whether the request was made by the user, and is one that keeps nothing open.
func (r Request) Of(user string) bool {
	return strings.EqualFold(r.User, user) || strings.HasPrefix(r.User, user+":")
}
