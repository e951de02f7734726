package parts

import (
	"fmt"
	"slices"
	"strings"
)

// part is one binary.
type part struct {
	name    string
	dir     string // its module, relative to the clone
	pkg     string // the package to build
	pins    string // the module path whose version names the build; empty for programs of our own
	ldflags func(version string) string
	// programs are the names under which the binary can be called besides its own, as symbolic links beside it.
	programs []string
}

const (
	fabricModule     = "github.com/hyperledger/fabric"
	kubernetesModule = "k8s.io/kubernetes"
	kubeVersion      = "k8s.io/component-base/version"
)

// catalog is in the order of building: what others wait for comes first.
var catalog = []part{
	{name: "etcd", dir: "hack/parts/etcd", pkg: ".", pins: "go.etcd.io/etcd/server/v3"},
	{name: "hyperkube", dir: "hack/parts/kubernetes", pkg: ".", pins: kubernetesModule, ldflags: kubernetesFlags,
		programs: []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"}},
	{name: "peer", dir: "hack/parts/fabric", pkg: fabricModule + "/cmd/peer", pins: fabricModule, ldflags: fabricFlags},
	{name: "orderer", dir: "hack/parts/fabric", pkg: fabricModule + "/cmd/orderer", pins: fabricModule, ldflags: fabricFlags},
	{name: "osnadmin", dir: "hack/parts/fabric", pkg: fabricModule + "/cmd/osnadmin", pins: fabricModule, ldflags: fabricFlags},
	{name: "configtxgen", dir: "hack/parts/fabric", pkg: fabricModule + "/cmd/configtxgen", pins: fabricModule, ldflags: fabricFlags},
	{name: "ccaas-builder", dir: "hack/parts/ccaasbuilder", pkg: "."},
	{name: "local-provisioner", dir: "hack/parts/localprovisioner", pkg: "."},
	{name: "network-policy", dir: "hack/parts/networkpolicy", pkg: "."},
	{name: "line-delay", dir: "hack/parts/linedelay", pkg: "."},
	{name: "pause", dir: "hack/parts/pause", pkg: "."},
	{name: "cert-manager-controller", dir: certManagerDir, pkg: ".", pins: certManagerModule},
	{name: "coredns", dir: "hack/parts/coredns", pkg: ".", pins: "github.com/coredns/coredns"},
	{name: "helm", dir: "hack/parts/helm", pkg: "helm.sh/helm/v4/cmd/helm", pins: "helm.sh/helm/v4"},
	{name: "controller-gen", dir: "hack/tools", pkg: "sigs.k8s.io/controller-tools/cmd/controller-gen", pins: "sigs.k8s.io/controller-tools"},
	{name: "crd-ref-docs", dir: "hack/tools", pkg: "github.com/elastic/crd-ref-docs", pins: "github.com/elastic/crd-ref-docs"},
	{name: "golangci-lint", dir: "hack/parts/golangci", pkg: "github.com/golangci/golangci-lint/v2/cmd/golangci-lint", pins: "github.com/golangci/golangci-lint/v2"},
}

// Names are the parts that Ensure knows, in the order of building.
func Names() []string {
	names := make([]string, 0, len(catalog))
	for _, p := range catalog {
		names = append(names, p.name)
	}
	return names
}

// pick finds the parts of the names; a program inside a part (kubectl) stands for its part. No name means all.
func pick(names []string) ([]part, error) {
	for _, name := range names {
		if !slices.ContainsFunc(catalog, func(p part) bool { return p.has(name) }) {
			return nil, fmt.Errorf("there is no part %q; there are %s", name, strings.Join(Names(), ", "))
		}
	}
	var picked []part
	for _, p := range catalog {
		if len(names) == 0 || slices.ContainsFunc(names, p.has) {
			picked = append(picked, p)
		}
	}
	return picked, nil
}

func (p part) has(name string) bool { return p.name == name || slices.Contains(p.programs, name) }

// kubernetesFlags tells the programs their own version, which they compare with each other's.
func kubernetesFlags(version string) string {
	numbers := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(numbers) < 3 {
		return ""
	}
	return fmt.Sprintf("-X %[1]s.gitVersion=%[2]s -X %[1]s.gitMajor=%[3]s -X %[1]s.gitMinor=%[4]s -X %[1]s.gitTreeState=clean",
		kubeVersion, version, numbers[0], numbers[1])
}

// fabricFlags gives the commit, the only true thing that the pseudo-version of a Fabric module says.
func fabricFlags(version string) string {
	commit := version[strings.LastIndex(version, "-")+1:]
	return fmt.Sprintf("-X %[1]s/common/metadata.Version=%[2]s -X %[1]s/common/metadata.CommitSHA=%[3]s", fabricModule, fabricRelease, commit)
}

// fabricRelease is the release that the pinned commit follows: its release notes are the newest in the module.
const fabricRelease = "3.1.4"
