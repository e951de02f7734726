//go:build linux

package splice

import (
	"bytes"
	"crypto/rand"
	"io"
	"testing"
)

// TestCopyTakesOver runs what serves when no pipe can be made.
func TestCopyTakesOver(t *testing.T) {
	client, src := connected(t)
	dst, server := connected(t)
	sent := make([]byte, 1<<20)
	_, _ = rand.Read(sent)
	go func() {
		_, _ = client.Write(sent)
		_ = client.CloseWrite()
	}()
	go func() {
		m := &mover{moved: 5}
		if n, err := m.copy(dst, src); err != nil || n != int64(len(sent))+5 {
			t.Errorf("%d bytes, %v", n, err)
		}
		_ = dst.CloseWrite()
	}()
	got, err := io.ReadAll(server)
	must(t, err)
	if !bytes.Equal(got, sent) {
		t.Error("what arrived is not what was sent")
	}
}
