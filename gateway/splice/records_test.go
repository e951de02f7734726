package splice

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"testing"
	"time"
)

func record(kind byte, length int) []byte {
	return append([]byte{kind, 3, 3, byte(length >> 8), byte(length)}, make([]byte, length)...)
}

func join2(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func TestRecords(t *testing.T) {
	for _, c := range []struct {
		why    string
		sent   []byte
		spoken bool
	}{
		{"nothing", nil, false},
		{"a hello alone", record(22, 200), false},
		{"a handshake and its change of ciphers", join2(record(22, 200), record(20, 1), record(22, 40)), false},
		{"an alert", join2(record(22, 200), record(21, 2)), false},
		{"application data", join2(record(22, 200), record(23, 40)), true},
		{"a whole record of it that is empty", join2(record(22, 200), record(23, 0)), true},
		{"the header of it and no more", join2(record(22, 200), record(23, 40)[:5]), false},
		{"all of it but a byte", join2(record(22, 200), record(23, 40)[:44]), false},
		{"another protocol in between", join2(record(22, 200), []byte("GET / HTTP/1.1"), record(23, 40)), false},
		{"a record longer than there are", join2(record(22, 200), []byte{23, 3, 3, 0xff, 0xff}), false},
	} {
		for _, step := range []int{1, 3, 1 << 20} {
			var r records
			for b := c.sent; len(b) > 0; b = b[min(step, len(b)):] {
				r.pass(b[:min(step, len(b))])
			}
			if r.spoken != c.spoken {
				t.Errorf("%s, in steps of %d: spoken is %v", c.why, step, r.spoken)
			}
		}
	}
}

// However the bytes come, the same is made of them.
func FuzzRecords(f *testing.F) {
	f.Add(join2(record(22, 20), record(20, 1), record(23, 7)), 3)
	f.Add([]byte{23, 3, 3, 0, 0}, 1)
	f.Add([]byte{19, 3, 3, 0, 0}, 2)
	f.Fuzz(func(t *testing.T, b []byte, step int) {
		var whole, parts records
		whole.pass(b)
		step = max(1, min(step, 1<<16))
		for ; len(b) > 0; b = b[min(step, len(b)):] {
			parts.pass(b[:min(step, len(b))])
		}
		if whole.spoken != parts.spoken || whole.broken != parts.broken || whole.left < 0 || whole.have > recordHeader {
			t.Errorf("%+v and %+v", whole, parts)
		}
	})
}

// TestEstablished is told by real TLS, of both versions, and not before the handshake is over.
func TestEstablished(t *testing.T) {
	pair := certificate(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			client, a := connected(t)
			b, server := connected(t)
			established := make(chan struct{})
			p := NewPair(a, b)
			p.OnEstablished(nil, func() { close(established) })
			done := make(chan struct{})
			go func() { defer close(done); p.Run() }()
			t.Cleanup(func() { p.Close(); <-done })

			near := tls.Client(client, &tls.Config{MinVersion: version, MaxVersion: version, RootCAs: pool(pair), ServerName: "b"})
			far := tls.Server(server, &tls.Config{MinVersion: version, Certificates: []tls.Certificate{pair}})
			select {
			case <-established:
				t.Fatal("established before anything was said")
			default:
			}
			failed := make(chan error, 1)
			go func() {
				_, err := far.Write([]byte("hello")) // shakes hands first
				failed <- err
			}()
			_, err := near.Read(make([]byte, 5))
			must(t, err)
			must(t, <-failed)
			_, err = near.Write([]byte("hello"))
			must(t, err)
			select {
			case <-established:
			case <-time.After(time.Minute):
				t.Fatal("not established though both have spoken")
			}
			_, err = far.Read(make([]byte, 5))
			must(t, err)
		})
	}
}

func TestSilence(t *testing.T) {
	a, b := connected(t)
	deadline := time.Now().Add(time.Minute)
	for Silence(b) < 20*time.Millisecond {
		if time.Now().After(deadline) {
			t.Fatalf("silent for %v only", Silence(b))
		}
		time.Sleep(time.Millisecond)
	}
	_, err := a.Write([]byte("x"))
	must(t, err)
	_, err = b.Read(make([]byte, 1))
	must(t, err)
	if s := Silence(b); s > 15*time.Second {
		t.Errorf("silent for %v right after a byte", s)
	}
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"b"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	leaf, err := x509.ParseCertificate(der)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func pool(pair tls.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(pair.Leaf)
	return p
}
