package images

import (
	"fmt"
	"slices"
	"strings"
)

const (
	fabricVersion = "3.1.4"
	ownVersion    = "0.1.0"

	fabricConfig = "/etc/hyperledger/fabric"
	fabricState  = "/var/hyperledger/production"
	builderBin   = "/opt/hyperledger/ccaas_builder/bin"
)

// image says what an image is made of; its sources name parts, packages and files that are resolved later.
type image struct {
	name      string
	reference string
	binaries  []binary
	samples   []string // files of Fabric's sampleconfig, put into fabricConfig
	links     map[string]string
	dirs      []string // writable by anybody, for pods that mount nothing there
	env       []string
	entry     []string
	cmd       []string
}

// binary is one program in an image: a part, or a package of the clone that is built anew every time.
type binary struct {
	path   string
	part   string
	module string // relative to the clone
	pkg    string
}

var catalog = []image{
	{name: "pause", reference: "registry.k8s.io/pause:3.10",
		binaries: []binary{{path: "/pause", part: "pause"}}, entry: []string{"/pause"}},
	{name: "coredns", reference: "registry.k8s.io/coredns/coredns:v1.15.0",
		binaries: []binary{{path: "/coredns", part: "coredns"}}, entry: []string{"/coredns"}},
	{name: "cert-manager-controller", reference: "quay.io/jetstack/cert-manager-controller:v1.21.2",
		binaries: []binary{{path: "/app/cmd/controller/controller", part: "cert-manager-controller"}},
		entry:    []string{"/app/cmd/controller/controller"}},
	{name: "fabric-peer", reference: "docker.io/hyperledger/fabric-peer:" + fabricVersion,
		binaries: []binary{{path: "/usr/local/bin/peer", part: "peer"}, {path: builderBin + "/build", part: "ccaas-builder"}},
		links:    map[string]string{builderBin + "/detect": "build", builderBin + "/release": "build"},
		samples:  []string{"core.yaml"}, dirs: []string{fabricState},
		env: []string{"FABRIC_CFG_PATH=" + fabricConfig, "FABRIC_VER=" + fabricVersion},
		cmd: []string{"peer", "node", "start"}},
	{name: "fabric-orderer", reference: "docker.io/hyperledger/fabric-orderer:" + fabricVersion,
		binaries: []binary{{path: "/usr/local/bin/orderer", part: "orderer"}},
		samples:  []string{"orderer.yaml", "configtx.yaml"}, dirs: []string{fabricState},
		env: []string{"FABRIC_CFG_PATH=" + fabricConfig, "FABRIC_VER=" + fabricVersion},
		cmd: []string{"orderer", "start"}},
	own("federation", "hanse-federation", ".", "./cmd/federation"),
	own("member-agent", "hanse-member-agent", ".", "./cmd/member-agent"),
	own("contract-notary", "contract-notary", "contracts", "./cmd/notary"),
	own("contract-asset", "contract-asset", "contracts", "./cmd/asset"),
	own("sample-application", "sample-application", "samples/applications/go", "."),
}

// own is an image of the project's: one program, called /<name>, that takes its arguments from the pod.
func own(name, repository, module, pkg string) image {
	return image{
		name: name, reference: fmt.Sprintf("ghcr.io/hanse-io/%s:%s", repository, ownVersion),
		binaries: []binary{{path: "/" + name, module: module, pkg: pkg}}, entry: []string{"/" + name},
	}
}

// Names are the images that Ensure knows.
func Names() []string {
	names := make([]string, 0, len(catalog))
	for _, i := range catalog {
		names = append(names, i.name)
	}
	return names
}

// References are the names under which pods ask for the images, by the names that Ensure knows.
func References() map[string]string {
	references := map[string]string{}
	for _, i := range catalog {
		references[i.name] = i.reference
	}
	return references
}

// pick finds the images of the names; no name means all.
func pick(names []string) ([]image, error) {
	for _, name := range names {
		if !slices.Contains(Names(), name) {
			return nil, fmt.Errorf("there is no image %q; there are %s", name, strings.Join(Names(), ", "))
		}
	}
	var picked []image
	for _, i := range catalog {
		if len(names) == 0 || slices.Contains(names, i.name) {
			picked = append(picked, i)
		}
	}
	return picked, nil
}
