package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"log/slog"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"syscall"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/gateway"
	"github.com/hanse-io/hanse/hack/bench/routefile"
	"github.com/hanse-io/hanse/internal/routing"
)

// hanse is a pair of gateways, with probes and all.
func hanse(ctx context.Context, s settings, n *network, dir string) (string, []*server, error) {
	nearDir, farDir := filepath.Join(dir, "near"), filepath.Join(dir, "far")
	nearRoot, err := writeIdentity(nearDir, "near", s.user)
	if err != nil {
		return "", nil, err
	}
	farRoot, err := writeIdentity(farDir, "far", s.user)
	if err != nil {
		return "", nil, err
	}
	roots := map[string]string{"near": nearRoot, "far": farRoot}
	near := routing.Routes{
		Member: "near", Roots: roots, Remote: map[string]string{serverName: "far"},
		Lines: []routing.Line{{Name: "bench", Member: "far", Address: farAddress, Port: linePort}},
	}
	far := routing.Routes{
		Member: "far", Roots: roots,
		Local: map[string]string{serverName: net.JoinHostPort("127.0.0.1", strconv.Itoa(sinkPort))},
		Lines: []routing.Line{{Name: "bench", Member: "near", Address: nearAddress, Port: linePort}},
	}
	var running []*server
	for _, g := range []struct {
		ns, dir string
		routes  routing.Routes
	}{{n.near, nearDir, near}, {n.far, farDir, far}} {
		text, err := g.routes.JSON()
		if err != nil {
			return "", running, err
		}
		if err := os.WriteFile(filepath.Join(g.dir, routing.RoutesKey), text, 0o644); err != nil {
			return "", running, err
		}
		args := []string{"role-gateway", "-dir", g.dir}
		if s.profile != "" {
			args = append(args, "-profile", filepath.Join(s.profile, g.routes.Member+".pprof"))
		}
		p, err := startServer(ctx, func(ctx context.Context) *exec.Cmd {
			cmd := n.self(ctx, g.ns, s.user, args...)
			cmd.Env = append(os.Environ(), "GOGC=400") // what the chart sets
			return cmd
		})
		if err != nil {
			return "", running, err
		}
		running = append(running, p)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(insidePort)), running, nil
}

// gatewayRole runs one gateway with routes and a certificate from a directory.
func gatewayRole(args []string) error {
	f := flag.NewFlagSet("gateway", flag.ContinueOnError)
	dir, profile := f.String("dir", "", ""), f.String("profile", "", "")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *profile != "" {
		file, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	o := gateway.DefaultOptions()
	o.InsideAddress, o.LineAddress = ":"+strconv.Itoa(insidePort), ":"+strconv.Itoa(linePort)
	o.MetricsAddress, o.CertDir = "127.0.0.1:0", *dir
	o.DrainDelay, o.DrainTimeout, o.CloseTimeout = time.Millisecond, time.Millisecond, time.Millisecond
	o.HandshakeTimeout = 24 * time.Hour // the load is no TLS but for its first bytes
	o.Source, o.Sink = routefile.Source(filepath.Join(*dir, routing.RoutesKey)), routefile.Sink{}
	o.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	return gateway.Run(ctx, o)
}

// writeIdentity makes a member's root and its gateway's certificate, and returns the root.
func writeIdentity(dir, member string, user int) (root string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: member}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, authority, authority, rootKey.Public(), rootKey)
	if err != nil {
		return "", err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{v1alpha1.GatewayServerName(member)},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), rootKey)
	if err != nil {
		return "", err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	for name, block := range map[string]*pem.Block{
		"tls.crt": {Type: "CERTIFICATE", Bytes: leafDER}, "tls.key": {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			return "", err
		}
		if err := os.Chown(path, user, user); err != nil {
			return "", err
		}
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER})), nil
}
