// Package ccaas serves a contract as a chaincode service ("chaincode as a
// service"): the peer dials the contract, not the other way round.
//
// It takes its settings from the environment, under the names that Fabric's own
// samples use, and it stops without cutting off a transaction that is under way.
// It must not know which contract it serves.
package ccaas

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// The environment variables that Load reads.
const (
	// EnvID is the package id that the peer gave the chaincode at its installation ("notary:5f…").
	EnvID = "CHAINCODE_ID"
	// EnvAddress is the address to listen on.
	EnvAddress = "CHAINCODE_SERVER_ADDRESS"
	// EnvTLSDisabled is true (the default) for plain TCP, false for TLS.
	EnvTLSDisabled = "CHAINCODE_TLS_DISABLED"
	// EnvTLSKey and EnvTLSCert are PEM files with the server's key and certificate chain.
	EnvTLSKey  = "CHAINCODE_TLS_KEY"
	EnvTLSCert = "CHAINCODE_TLS_CERT"
	// EnvClientCA is a PEM file with the roots of the peers; if set, a peer must show a certificate from them.
	EnvClientCA = "CHAINCODE_CLIENT_CA_CERT"
)

// DefaultAddress is where the server listens unless told otherwise.
const DefaultAddress = "0.0.0.0:9999"

// Config is what a server needs to run.
type Config struct {
	ID      string
	Address string
	// TLS is nil for plain TCP.
	TLS *tls.Config
}

// Load reads the configuration through getenv, and says everything that is wrong at once.
func Load(getenv func(string) string) (Config, error) {
	c := Config{ID: strings.TrimSpace(getenv(EnvID)), Address: getenv(EnvAddress)}
	var wrong []error
	if c.ID == "" {
		wrong = append(wrong, fmt.Errorf("%s is not set: set it to the package id that `peer lifecycle chaincode queryinstalled` shows", EnvID))
	}
	if c.Address == "" {
		c.Address = DefaultAddress
	}
	if _, port, err := net.SplitHostPort(c.Address); err != nil || port == "" {
		wrong = append(wrong, fmt.Errorf("%s is %q: set it to host:port, for example %s", EnvAddress, c.Address, DefaultAddress))
	}
	disabled, err := tlsDisabled(getenv(EnvTLSDisabled))
	if err != nil {
		wrong = append(wrong, err)
	}
	if !disabled {
		if c.TLS, err = loadTLS(getenv); err != nil {
			wrong = append(wrong, err)
		}
	} else if err := refuseUnusedTLS(getenv); err != nil {
		wrong = append(wrong, err)
	}
	return c, errors.Join(wrong...)
}

func tlsDisabled(value string) (bool, error) {
	if value == "" {
		return true, nil
	}
	disabled, err := strconv.ParseBool(value)
	if err != nil {
		return true, fmt.Errorf("%s is %q: set it to true or false", EnvTLSDisabled, value)
	}
	return disabled, nil
}

// refuseUnusedTLS stops a server that somebody gave a certificate and that would yet talk in the clear.
func refuseUnusedTLS(getenv func(string) string) error {
	for _, name := range []string{EnvTLSKey, EnvTLSCert, EnvClientCA} {
		if getenv(name) != "" {
			return fmt.Errorf("%s is set but TLS is off: set %s=false to use it, or unset it", name, EnvTLSDisabled)
		}
	}
	return nil
}

func loadTLS(getenv func(string) string) (*tls.Config, error) {
	var wrong []error
	for _, name := range []string{EnvTLSKey, EnvTLSCert} {
		if getenv(name) == "" {
			wrong = append(wrong, fmt.Errorf("%s is not set: TLS is on, so set it to a PEM file, or set %s=true", name, EnvTLSDisabled))
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	pair, err := tls.LoadX509KeyPair(getenv(EnvTLSCert), getenv(EnvTLSKey))
	if err != nil {
		return nil, fmt.Errorf("%s and %s are no key pair: %w", EnvTLSCert, EnvTLSKey, err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	path := getenv(EnvClientCA)
	if path == "" {
		return config, nil
	}
	roots, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", EnvClientCA, err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(roots) {
		return nil, fmt.Errorf("%s: no certificate in %s: it must hold the peers' root certificates in PEM", EnvClientCA, path)
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	return config, nil
}
