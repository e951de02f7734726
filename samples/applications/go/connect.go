package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// profile is what this application reads of the connection profile.
type profile struct {
	Client struct {
		Organization string `json:"organization"`
	} `json:"client"`
	Organizations map[string]struct {
		MSPID string   `json:"mspid"`
		Peers []string `json:"peers"`
	} `json:"organizations"`
	Peers map[string]struct {
		URL        string `json:"url"`
		TLSCACerts struct {
			PEM string `json:"pem"`
		} `json:"tlsCACerts"`
	} `json:"peers"`
}

// connect opens a gateway at the organization's own peer, which finds the other organizations' endorsers itself: neither
// their addresses nor their CAs are needed here.
func connect(folder, address string) (*client.Gateway, func(), error) {
	text, err := os.ReadFile(filepath.Join(folder, "connection.json"))
	if err != nil {
		return nil, nil, err
	}
	var p profile
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, nil, fmt.Errorf("connection.json: %w", err)
	}
	own := p.Organizations[p.Client.Organization]
	if len(own.Peers) == 0 {
		return nil, nil, errors.New("connection.json: the organization has no peer")
	}
	// The node's name in the cluster. Its certificate bears it, wherever the connection goes.
	name := slices.Min(own.Peers)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(p.Peers[name].TLSCACerts.PEM)) {
		return nil, nil, fmt.Errorf("connection.json: no CA for %s", name)
	}
	id, sign, err := user(folder, own.MSPID)
	if err != nil {
		return nil, nil, err
	}
	connection, err := grpc.NewClient(cmp.Or(address, strings.TrimPrefix(p.Peers[name].URL, "grpcs://")),
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: name})))
	if err != nil {
		return nil, nil, err
	}
	gateway, err := client.Connect(id, client.WithSign(sign), client.WithHash(hash.SHA256), client.WithClientConnection(connection))
	if err != nil {
		return nil, nil, errors.Join(err, connection.Close())
	}
	return gateway, func() { _ = gateway.Close(); _ = connection.Close() }, nil
}

// user is the identity that signs.
func user(folder, mspID string) (*identity.X509Identity, identity.Sign, error) {
	certificatePEM, err := os.ReadFile(filepath.Join(folder, "msp/signcerts/cert.pem"))
	if err != nil {
		return nil, nil, err
	}
	keyPEM, err := os.ReadFile(filepath.Join(folder, "msp/keystore/key.pem"))
	if err != nil {
		return nil, nil, err
	}
	certificate, err := identity.CertificateFromPEM(certificatePEM)
	if err != nil {
		return nil, nil, err
	}
	key, err := identity.PrivateKeyFromPEM(keyPEM)
	if err != nil {
		return nil, nil, err
	}
	id, err := identity.NewX509Identity(mspID, certificate)
	if err != nil {
		return nil, nil, err
	}
	sign, err := identity.NewPrivateKeySign(key)
	return id, sign, err
}
