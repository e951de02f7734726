package cluster

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"github.com/hanse-io/hanse/hack/testbed/topology"
)

//go:embed templates/*
var templates embed.FS

var parsed = template.Must(template.ParseFS(templates, "templates/*"))

// CNIPlugins is where Debian's package puts the CNI plugins.
const CNIPlugins = "/usr/lib/cni"

// settings are what the templates are filled with.
type settings struct {
	Dir, Socket, Plugins, Network   string
	NodePodCIDR, PodCIDR, DNS       string
	ClientCA, ServerCert, ServerKey string
	CgroupRoot, ProxyKubeconfig     string
	RestrictOOM                     bool
}

func (c *Cluster) settings() settings {
	return settings{
		Dir: c.Dir, Socket: c.Socket(), Plugins: CNIPlugins, Network: networkName(c.Testbed.Name, c.Name),
		NodePodCIDR: topology.NodePodCIDR, PodCIDR: topology.PodCIDR, DNS: topology.DNSService,
		ClientCA: c.cert("ca"), ServerCert: c.cert("kubelet-server"), ServerKey: c.key("kubelet-server"),
		CgroupRoot: c.group().Root(), ProxyKubeconfig: c.config("kube-proxy.kubeconfig"),
		RestrictOOM: !mayRaisePriority(),
	}
}

// render fills the template of that name.
func render(name string, s settings) ([]byte, error) {
	var out bytes.Buffer
	if err := parsed.ExecuteTemplate(&out, name, s); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// configure writes every configuration file.
func (c *Cluster) configure() error {
	for template, file := range map[string]string{
		"containerd.toml": c.config("containerd.toml"),
		"cni.conflist":    c.path("cni", "10-bridge.conflist"),
		"kubelet.yaml":    c.config("kubelet.yaml"),
		"kube-proxy.yaml": c.config("kube-proxy.yaml"),
		"resolv.conf":     c.config("resolv.conf"),
	} {
		content, err := render(template, c.settings())
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
