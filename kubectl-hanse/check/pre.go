package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/util/version"
)

// known is a fact, or why it could not be learnt.
type known[T any] struct {
	value T
	err   error
}

// unread is the result of a check whose facts could not be read.
func unread(what string, err error) Result {
	return warning("ask whoever runs this cluster for the right to read it (kubectl auth can-i --list shows what you have), or have them run this check",
		"not checked: %s cannot be read: %v", what, err)
}

// kubernetesVersion compares the API server's version with the least that the chart says: ">=1.34.0-0".
func kubernetesVersion(chart, needs string, server known[string]) Result {
	if server.err != nil {
		return failed("is it the right context? kubectl config current-context", "the API server does not say its version: %v", server.err)
	}
	least, err := version.ParseGeneric(strings.TrimSuffix(strings.TrimPrefix(needs, ">="), "-0"))
	if err != nil {
		return failed("get a plugin of a release", "the chart %s has a kubeVersion that this plugin cannot read: %q", chart, needs)
	}
	has, err := version.ParseGeneric(server.value)
	if err != nil {
		return warning("compare it with the chart's own words: "+needs, "the version %q has a form that this plugin does not know", server.value)
	}
	if !has.AtLeast(least) {
		return failed(fmt.Sprintf("upgrade the cluster to %d.%d or later: the chart's rules and permissions use what came with it, and helm refuses to install it before", least.Major(), least.Minor()),
			"%s is too old for the chart %s, which needs %d.%d or later", server.value, chart, least.Major(), least.Minor())
	}
	return ok("%s; the chart %s needs %d.%d or later", server.value, chart, least.Major(), least.Minor())
}

const certManagerInstall = "helm install cert-manager oci://quay.io/jetstack/charts/cert-manager --namespace cert-manager --create-namespace --set crds.enabled=true"

// certManager looks for its kinds, and for a controller that is ready.
func certManager(kinds known[[]string], controllers known[[]appsv1.Deployment]) Result {
	if kinds.err != nil {
		return unread("the kinds that the cluster serves", kinds.err)
	}
	for _, kind := range []string{"certificates", "issuers"} {
		if !slices.Contains(kinds.value, kind) {
			return failed(certManagerInstall, "cert-manager is not installed: the cluster does not serve cert-manager.io/v1 %s, and identities are issued with it", kind)
		}
	}
	if controllers.err != nil {
		return unread("Deployments of all namespaces", controllers.err)
	}
	if len(controllers.value) == 0 {
		return warning("if certificates are not issued later on: "+certManagerInstall,
			"cert-manager's kinds are served, and no Deployment is labelled app.kubernetes.io/name=cert-manager: whether its controller runs cannot be told")
	}
	for _, d := range controllers.value {
		if d.Status.AvailableReplicas > 0 {
			return ok("cert-manager's controller %s/%s is ready", d.Namespace, d.Name)
		}
	}
	d := controllers.value[0]
	return failed(fmt.Sprintf("kubectl -n %s describe deployment %s, and its pods", d.Namespace, d.Name), "cert-manager's controller %s/%s has no replica that is available", d.Namespace, d.Name)
}

const defaultClass = "storageclass.kubernetes.io/is-default-class"

// storageClass looks for the class that volumes of nodes will have; the default one if name is empty.
func storageClass(name string, classes known[[]storagev1.StorageClass]) Result {
	if classes.err != nil {
		return unread("StorageClasses", classes.err)
	}
	var names, defaults []string
	for _, class := range classes.value {
		names = append(names, class.Name)
		if class.Annotations[defaultClass] == "true" {
			defaults = append(defaults, class.Name)
		}
	}
	switch {
	case name != "" && !slices.Contains(names, name):
		return failed("name one that there is, or make it: kubectl get storageclass", "there is no StorageClass %s; there is %s", name, list(names))
	case name != "":
		return ok("there is a StorageClass %s", name)
	case len(defaults) == 0:
		return failed(fmt.Sprintf("kubectl annotate storageclass NAME %s=true, or have the Consortium name one (spec.nodes.storage.className)", defaultClass),
			"there is no default StorageClass, and nodes that name none get no volume; there is %s", list(names))
	}
	return ok("the default StorageClass is %s", list(defaults))
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// admissionPolicies says whether the charts' ValidatingAdmissionPolicies can be installed.
func admissionPolicies(kinds known[[]string]) Result {
	if kinds.err != nil {
		return unread("the kinds that the cluster serves", kinds.err)
	}
	if !slices.Contains(kinds.value, "validatingadmissionpolicies") {
		return failed("have the API server serve admissionregistration.k8s.io/v1 (--runtime-config); --set admissionPolicy=false does without, and leaves RBAC alone to limit what agents may do",
			"ValidatingAdmissionPolicies are not served, and the chart makes some")
	}
	return ok("ValidatingAdmissionPolicies are served")
}

// right is one thing that helm does, and whether this person may.
type right struct {
	what    string
	allowed bool
	err     error
}

// rights says what of that which helm install does this person may not do. grants is whether they may create roles
// with permissions that they do not have themselves.
func rights(all []right, grants right) Result {
	var missing []string
	for _, r := range all {
		if r.err != nil {
			return warning("helm install says so itself if a right is missing", "not checked: whether you may %s: %v", r.what, r.err)
		}
		if !r.allowed {
			missing = append(missing, r.what)
		}
	}
	switch {
	case len(missing) > 0:
		return failed("have somebody with these rights install it, such as an administrator of the cluster, or get them: kubectl auth can-i --list", "helm install would be refused: you may not %s", list(missing))
	case !grants.allowed:
		return warning("if helm install is refused with \"attempting to grant RBAC permissions not currently held\": have an administrator of the cluster install it",
			"you may create all that the chart makes, but roles only with permissions that you have yourself")
	}
	return ok("you may create all that the chart makes (%d rights)", len(all))
}

// enforcers are the workloads of network plugins that enforce NetworkPolicies, as they are commonly named.
var enforcers = []string{"calico-node", "canal", "cilium", "antrea-agent", "kube-router", "weave-net", "ovnkube-node", "azure-npm", "kube-ovn-cni", "romana-agent", "network-policy-agent", "anetd"}

// enforcement is a hint: no API says whether they are enforced.
func enforcement(daemons known[[]string]) Result {
	if daemons.err != nil {
		return unread("DaemonSets of all namespaces", daemons.err)
	}
	for _, name := range daemons.value {
		if slices.ContainsFunc(enforcers, func(e string) bool { return name == e || strings.HasPrefix(name, e+"-") }) {
			return ok("NetworkPolicies are likely enforced: there is %s", name)
		}
	}
	return warning("look into the network plugin's documentation; without enforcement every pod of this cluster reaches the ledger's nodes",
		"whether NetworkPolicies are enforced cannot be told: no network plugin is known by its name that does")
}

const signerName = certificatesv1.KubeAPIServerClientSignerName

// signer says whether the host's control plane signs agents' credentials, as far as earlier requests and the provider tell.
func signer(server known[string], requests known[[]certificatesv1.CertificateSigningRequest]) Result {
	for _, csr := range requests.value {
		if csr.Spec.SignerName == signerName && len(csr.Status.Certificate) > 0 {
			return ok("%s signs: request %s has a certificate", signerName, csr.Name)
		}
	}
	if strings.Contains(server.value, "-eks-") {
		return failed("use another cluster as the host: a small one of your own will do, since no ledger runs there",
			"this is EKS (%s), whose control plane does not sign %s: agents would get no credential", server.value, signerName)
	}
	for _, csr := range requests.value {
		for _, condition := range csr.Status.Conditions {
			if csr.Spec.SignerName == signerName && condition.Type == certificatesv1.CertificateFailed {
				return failed("read what the control plane says: kubectl describe csr "+csr.Name, "%s did not sign request %s: %s", signerName, csr.Name, condition.Message)
			}
		}
	}
	if requests.err != nil {
		return unread("CertificateSigningRequests", requests.err)
	}
	return skipped("after the first invitation: kubectl get csr; some clouds do not sign it", "whether the control plane signs %s cannot be told: no request of the last hour is for it", signerName)
}

// Clocks may differ by half a second more than their one is exact to. Beyond the second limit a certificate that was just issued is not valid yet.
const (
	clockTolerance = 5 * time.Second
	clockLimit     = time.Minute
)

// clock compares another clock with this machine's. ahead is how far it is ahead.
func clock(whose string, ahead known[time.Duration]) Result {
	remedy := "set both by NTP: timedatectl, chronyc tracking"
	size := ahead.value.Abs().Round(time.Second)
	direction := "ahead of"
	if ahead.value < 0 {
		direction = "behind"
	}
	switch {
	case ahead.err != nil:
		return warning(remedy, "not checked: the clock of %s: %v", whose, ahead.err)
	case size > clockLimit:
		return failed(remedy, "the clock of %s is %s %s this machine's: certificates and leases are judged wrongly beyond %s", whose, size, direction, clockLimit)
	case size > clockTolerance:
		return warning(remedy, "the clock of %s is %s %s this machine's", whose, size, direction)
	}
	return ok("the clock of %s agrees with this machine's to %s", whose, clockTolerance)
}

// hostReach says whether the host's API server answers, with a certificate of the authority that was given.
func hostReach(server string, reached known[string]) Result {
	switch {
	case server == "":
		return skipped("add --host-server https://HOST-AS-THIS-CLUSTER-SEES-IT:6443 --host-ca ca.pem", "whether the host's API server is reached")
	case reached.err != nil:
		return failed(reachRemedy(reached.err), "the host's API server at %s is not reached from this machine: %v", server, reached.err)
	}
	return ok("the host's API server at %s answers this machine, and its certificate is of the authority given (%s)", server, reached.value)
}

func reachRemedy(err error) string {
	text := err.Error()
	switch {
	case strings.Contains(text, "unknown authority"), strings.Contains(text, "not trusted"):
		return "give the authority behind that address with --host-ca: on the host, kubectl config view --raw --minify -o jsonpath='{.clusters[0].cluster.certificate-authority-data}' | base64 -d"
	case strings.Contains(text, "certificate is valid for"), strings.Contains(text, "doesn't contain any IP SANs"), strings.Contains(text, "cannot validate certificate for"):
		return "use a name that is in the host's certificate, or have the host's operators add this one (kube-apiserver's certificate SANs)"
	case strings.Contains(text, "no such host"):
		return "correct the name, or have DNS of this organization's network know it"
	case strings.Contains(text, "expired"):
		return "renew the certificate of the host's API server; or is a clock wrong?"
	}
	return "open the way to that address and port in the firewalls between; the agent's pods need it too"
}
