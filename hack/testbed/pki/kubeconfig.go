package pki

import (
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Kubeconfig writes a kubeconfig that carries the authority's certificate and the client certificate with that name.
func (a *Authority) Kubeconfig(file, context, server, client string) error {
	authority, err := os.ReadFile(CertificateFile(a.dir, a.name))
	if err != nil {
		return err
	}
	cert, err := os.ReadFile(CertificateFile(a.dir, client))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(KeyFile(a.dir, client))
	if err != nil {
		return err
	}
	config := api.NewConfig()
	config.Clusters[context] = &api.Cluster{Server: server, CertificateAuthorityData: authority}
	config.AuthInfos[context] = &api.AuthInfo{ClientCertificateData: cert, ClientKeyData: key}
	config.Contexts[context] = &api.Context{Cluster: context, AuthInfo: context}
	config.CurrentContext = context
	content, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("kubeconfig %s: %w", file, err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return replace(file, content, 0o600)
}
