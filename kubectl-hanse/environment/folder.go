package environment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hanse-io/hanse/kubectl-hanse/connection"
)

// nodeOUs is the MSP configuration that tells roles by organizational unit, as in Fabric's sample configuration.
const nodeOUs = `NodeOUs:
  Enable: true
  ClientOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: client}
  PeerOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: peer}
  AdminOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: admin}
  OrdererOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: orderer}
`

// core is what Fabric's peer command does not start without: everything else comes by environment variables.
const core = `peer:
  BCCSP: {Default: SW, SW: {Hash: SHA2, Security: 256}}
  client: {connTimeout: 10s}
`

// files lays out the folder. An application's has no TLS key: operator is nil for it. Pure.
func files(found connection.Connection, identity, operator map[string][]byte) map[string][]byte {
	out := map[string][]byte{
		"core.yaml":              []byte(core),
		"connection.json":        found.Profile,
		"msp/config.yaml":        []byte(nodeOUs),
		"msp/cacerts/ca.pem":     identity["ca.crt"],
		"msp/signcerts/cert.pem": identity["tls.crt"],
		"msp/keystore/key.pem":   identity["tls.key"],
		"tls/ca.pem":             []byte(found.TLSRoots),
	}
	if operator != nil {
		out["tls/client.pem"] = operator["tls.crt"]
		out["tls/client.key"] = operator["tls.key"]
	}
	return out
}

// usable makes the folder, so that nothing secret is read that could not be written, and returns its full path.
func usable(folder string) (string, error) {
	full, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	entries, err := os.ReadDir(full)
	if len(entries) > 0 {
		return "", fmt.Errorf("%s is not empty: give --out a new folder, or remove this one", full)
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.MkdirAll(full, 0o700)
	}
	if err != nil {
		return "", fmt.Errorf("--out %s cannot be used as a folder: %w", full, err)
	}
	return full, nil
}

func write(folder string, files map[string][]byte) error {
	for name, data := range files {
		path := filepath.Join(folder, name)
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if err == nil {
			err = os.WriteFile(path, data, 0o600)
		}
		if err != nil {
			return fmt.Errorf("write to --out: %w; remove %s before another try, for it may hold a key", err, folder)
		}
	}
	return os.Chmod(folder, 0o700)
}
