package host

import (
	"fmt"
	"io"
	"net/http"

	"k8s.io/client-go/rest"
)

// A malicious host may answer with any amount of data. The agent reads no more of an answer than this.
const (
	// maxAnswer is the size of the largest answer that is read, in bytes: a plan of two megabytes, or a page of a list.
	maxAnswer = 4 << 20
	// maxWatch is how much is read from one watch, in bytes. Then it ends, and the list is read again.
	maxWatch = 16 << 20
)

// errTooLarge says that the host has answered with more than the agent reads.
type errTooLarge struct{ limit int64 }

func (e errTooLarge) Error() string {
	return fmt.Sprintf("the host's answer has more than %d bytes, which is more than the agent reads", e.limit)
}

// bounded makes every answer that comes by way of config end with an error where it is too large.
func bounded(config *rest.Config) *rest.Config {
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return boundedTransport{next} })
	return config
}

type boundedTransport struct{ next http.RoundTripper }

func (t boundedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil || resp.Body == nil {
		return resp, err
	}
	limit := int64(maxAnswer)
	if watch := req.URL.Query().Get("watch"); watch == "true" || watch == "1" {
		limit = maxWatch
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: limit, limit: limit}
	return resp, nil
}

// boundedBody is a body that fails once more than limit bytes were read from it.
type boundedBody struct {
	io.ReadCloser
	left, limit int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge{b.limit}
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left+1)])
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, errTooLarge{b.limit}
	}
	return n, err
}
