package gateway

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Files of a mounted certificate Secret.
const (
	certFile = "tls.crt"
	keyFile  = "tls.key"
)

// keypair is the gateway's own certificate. Each handshake reloads it if its files have changed, so that a renewed
// certificate needs no restart. If the files cannot be read, the last certificate is kept.
type keypair struct {
	dir string
	log *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	stamp   [2]fileStamp
}

type fileStamp struct {
	modified time.Time
	size     int64
}

// get returns the current certificate.
func (k *keypair) get() (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	cert, key := filepath.Join(k.dir, certFile), filepath.Join(k.dir, keyFile)
	stamp := [2]fileStamp{stampOf(cert), stampOf(key)}
	if k.current != nil && stamp == k.stamp {
		return k.current, nil
	}
	read, err := tls.LoadX509KeyPair(cert, key)
	if err == nil {
		if k.current != nil {
			k.log.Info("the gateway's certificate was renewed", "notAfter", read.Leaf.NotAfter)
		}
		k.current, k.stamp = &read, stamp
		return k.current, nil
	}
	if k.current != nil {
		// Perhaps halfway through a replacement. The next handshake tries again.
		k.log.Warn("the gateway's new certificate cannot be read; the old one is kept", "error", err)
		return k.current, nil
	}
	return nil, fmt.Errorf("read the gateway's certificate: %w: mount its Secret, with %s and %s, at %s", err, certFile, keyFile, k.dir)
}

func stampOf(file string) fileStamp {
	info, err := os.Stat(file)
	if err != nil {
		return fileStamp{}
	}
	return fileStamp{info.ModTime(), info.Size()}
}
