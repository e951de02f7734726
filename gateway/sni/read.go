package sni

import "io"

// firstRead is how much is read at first; it holds nearly every ClientHello.
const firstRead = 4 << 10

// Read reads from r until it has seen the server name, and returns it with everything that it has read. The reader's
// own deadline ends a slow sender. The bytes come in buf when they fit.
func Read(r io.Reader, buf []byte) (name string, read []byte, err error) {
	if cap(buf) < firstRead {
		buf = make([]byte, 0, firstRead)
	}
	buf = buf[:0]
	for need := 1; ; {
		for len(buf) < need {
			if need > cap(buf) {
				grown := make([]byte, len(buf), MaxBytes)
				copy(grown, buf)
				buf = grown
			}
			n, err := r.Read(buf[len(buf):cap(buf)])
			buf = buf[:len(buf)+n]
			if n == 0 && err != nil {
				return "", buf, err
			}
		}
		if name, need, err = ServerName(buf); err != nil || need == 0 {
			return name, buf, err
		}
	}
}
