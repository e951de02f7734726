//go:build integration

package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/cert"

	"github.com/hanse-io/hanse/gateway"
	"github.com/hanse-io/hanse/gateway/configmap"
)

const ownChart = "../../charts/member-agent"

// hostAuthority is base64 of a PEM certificate, as an invitation has it.
var hostAuthority = base64.StdEncoding.EncodeToString(newAuthority())

func newAuthority() []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	authority, err := cert.NewSelfSignedCACert(cert.Config{CommonName: "host"}, key)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: cert.CertificateBlockType, Bytes: authority.Raw})
}

var chartValues = []string{"--set", "member.name=org1,host.server=https://host:6443,host.caData=" + hostAuthority, "--namespace", agentNamespace}

// render has helm render the agent's chart with values beside those of an invitation.
func render(t *testing.T, values string) (string, error) {
	t.Helper()
	invitation := filepath.Join(t.TempDir(), "invitation.yaml")
	text := "member: {name: org1}\nhost: {server: 'https://host:6443', caData: " + hostAuthority + "}\nbootstrap: {token: t.o.k}\n"
	if err := os.WriteFile(invitation, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	helm := exec.Command(asset(t, "helm"), "template", "member-agent", ownChart, "--namespace", agentNamespace, "--values", invitation, "--values", "-")
	helm.Stdin = strings.NewReader(values)
	out, err := helm.CombinedOutput()
	return string(out), err
}

// TestChartValidation has helm say what is wrong and what to write instead, where the agent, the gateway or the cluster would
// not take what becomes of a value.
func TestChartValidation(t *testing.T) {
	for _, c := range []struct{ why, values, name, remedy string }{
		{"a Member without a name", `member: {name: ""}`, "member.name", "kubectl hanse invite NAME"},
		{"no name of a Member", `member: {name: Org1}`, "member.name", "lower-case letters"},
		{"a name with a line break, which is more than a line", `member: {name: "org1\nx"}`, "member.name", "lower-case letters"},
		{"a name that is too long for its nodes' names", `member: {name: a23456789-123456789-123456789-123456789-1}`, "member.name", "want 40"},
		{"an MSP ID that no ledger takes", `member: {mspID: First Ltd}`, "member.mspID", "such as Org1MSP"},
		{"a value that does not exist", `member: {msp: Org1MSP}`, "member", "'msp' not allowed"},

		{"no URL", `host: {server: ""}`, "host.server", "https://203.0.113.10:6443"},
		{"a URL without TLS", `host: {server: "http://host:6443"}`, "host.server", "https URL"},
		{"an address without a scheme", `host: {server: "203.0.113.10:6443"}`, "host.server", "https URL"},
		{"no TCP port", `host: {server: "https://host:66443"}`, "host.server", "https URL"},
		{"a user in the URL", `host: {server: "https://admin:secret@host:6443"}`, "host.server", "https URL"},
		{"no authority", `host: {caData: ""}`, "host.caData", "base64 -w0 ca.crt"},
		{"three letters", `host: {caData: xyz}`, "host.caData", "base64 -w0 ca.crt"},
		{"base64 of something else", `host: {caData: YQ==}`, "host.caData", "base64 -w0 ca.crt"},
		{"PEM that is not base64", "host: {caData: '-----BEGIN CERTIFICATE-----'}", "host.caData", "base64 -w0 ca.crt"},
		{"base64 of base64", `host: {caData: ` + base64.StdEncoding.EncodeToString([]byte(hostAuthority)) + `}`, "host.caData", "base64 -w0 ca.crt"},
		{"a certificate of which a part is missing", `host: {caData: ` + hostAuthority[:len(hostAuthority)/2/4*4] + `}`, "host.caData", "base64 -w0 ca.crt"},
		{"PEM around nothing", `host: {caData: ` + base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0x30}})) + `}`, "host.caData", "base64 -w0 ca.crt"},
		{"a key", `host: {caData: ` + base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: []byte("k")})) + `}`, "host.caData", "the certificate only"},
		{"a token with a line break, which no HTTP header takes", `bootstrap: {token: "t.o\nk"}`, "bootstrap.token", "on one line"},

		{"a repository with a tag", `image: {repository: "ghcr.io/hanse-io/hanse-member-agent:1"}`, "image.repository", "image.tag"},
		{"a repository in capital letters", `image: {repository: ghcr.io/Hanse/Agent}`, "image.repository", "such as ghcr.io/"},
		{"a tag with a colon", `image: {tag: "a:b"}`, "image.tag", "leave it empty"},
		{"a tag that YAML takes for a number", `image: {tag: 1.0}`, "image.tag", "want string"},
		{"half a digest", `image: {digest: "sha256:0123"}`, "image.digest", "64 hexadecimal digits"},
		{"a digest without its algorithm", `image: {digest: ` + strings.Repeat("0", 64) + `}`, "image.digest", "want string"},
		{"a gateway's repository with a tag", `gateway: {image: {repository: "ghcr.io/hanse-io/hanse-gateway:1"}}`, "gateway.image.repository", "gateway.image.tag"},
		{"half a digest of the gateway's", `gateway: {image: {digest: "sha256:0123"}}`, "gateway.image.digest", "64 hexadecimal digits"},
		{"a policy that there is not", `image: {pullPolicy: always}`, "image.pullPolicy", "'IfNotPresent'"},
		{"a pull secret that no Secret can be called", `imagePullSecrets: [My_Secret]`, "imagePullSecrets[0]", "name of a Secret"},
		{"no name of a consortium", `monitoring: {consortia: [Trade]}`, "monitoring.consortia[0]", "such as trade"},
		{"an interval that is none", `monitoring: {interval: often}`, "monitoring.interval", "1h30m"},
		{"a pull secret as a pod has it", `imagePullSecrets: [{name: registry}]`, "imagePullSecrets.0", "want string"},

		{"a registry with a scheme", `global: {imageRegistry: "https://registry.example.com"}`, "global.imageRegistry", "no scheme"},
		{"a registry with a tag", `global: {imageRegistry: "registry.example.com/a:1"}`, "global.imageRegistry", "no scheme"},
		{"a registry that is a number", `global: {imageRegistry: 5000}`, "global.imageRegistry", "want string"},

		{"no domain", `clusterDomain: ""`, "clusterDomain", "such as cluster.local"},
		{"a domain with a dot behind it", `clusterDomain: cluster.local.`, "clusterDomain", "without a dot"},
		{"an issuer in capital letters", `identity: {issuerRef: {name: Corporate_CA}}`, "identity.issuerRef.name", "name of an Issuer"},
		{"a kind that cert-manager does not have", `identity: {issuerRef: {kind: clusterissuer}}`, "identity.issuerRef.kind", "Issuer or ClusterIssuer"},
		{"no group", `identity: {issuerRef: {group: ""}}`, "identity.issuerRef.group", "such as cert-manager.io"},
		{"a value that was taken out", `identity: {issuerRef: null}`, "identity", "'issuerRef'"},

		{"no image, so that no node would run", `policy: {nodeImages: []}`, "policy.nodeImages", "want 1"},
		{"an empty entry", `policy: {nodeImages: [""]}`, "policy.nodeImages[0]", "ghcr.io/hanse-io/"},
		{"a star within an entry", `policy: {contractImages: ["ghcr.io/hanse-io/", "ghcr.io/*"]}`, "policy.contractImages[1]", "only where it stands alone"},
		{"two entries in one", `policy: {contractImages: ["a.io/x,b.io/y"]}`, "policy.contractImages[0]", "one in each entry"},
		{"a way to approve that there is not", `policy: {contractApproval: byHand}`, "policy.contractApproval", "'ByHand'"},
		{"a word that is no truth value", `policy: {keepVolumes: "yes"}`, "policy.keepVolumes", "want boolean"},
		{"a limit of nothing", `policy: {limits: {nodes: 0}}`, "policy.limits.nodes", "greater than 0"},
		{"a limit of nothing, as text", `policy: {limits: {storage: "0Gi"}}`, "policy.limits.storage", "greater than 0"},
		{"a limit below nothing", `policy: {limits: {nodes: -1}}`, "policy.limits.nodes", "greater than 0"},
		{"a unit that Kubernetes does not have", `policy: {limits: {storage: 10TB}}`, "policy.limits.storage", "such as 64, 1500m, 512Mi"},
		{"a limit that is no number", `policy: {limits: {consortia: many}}`, "policy.limits.consortia", "write a number"},
		{"a limit that is misspelt", `policy: {limits: {node: 3}}`, "policy.limits", "'node' not allowed"},
		{"a URL for a name", `policy: {extraSANs: ["https://peer0.example.com"]}`, "policy.extraSANs[0]", "peer0.example.com"},
		{"a network of too many bits", `policy: {extraSANs: ["10.0.0.0/99"]}`, "policy.extraSANs[0]", "192.0.2.0/24"},
		{"no address, and no name that anybody has", `policy: {extraSANs: ["192.0.2.300"]}`, "policy.extraSANs[0]", "IP address"},
		{"capital letters, which certificates compare otherwise than people do", `policy: {extraSANs: [PEER0.example.com]}`, "policy.extraSANs[0]", "lower case"},

		{"no namespace", `networkPolicy: {applicationNamespaces: [Shop]}`, "networkPolicy.applicationNamespaces[0]", "name of a namespace"},
		{"a namespace that YAML takes for a number", `networkPolicy: {monitoringNamespaces: [1]}`, "networkPolicy.monitoringNamespaces.0", "want string"},
		{"a source that names nobody", `networkPolicy: {nodeIngress: [{}]}`, "networkPolicy.nodeIngress.0", "minProperties"},
		{"a selector that is misspelt", `networkPolicy: {nodeIngress: [{podSelector: {matchLabel: {app: shop}}}]}`, "networkPolicy.nodeIngress.0.podSelector", "'matchLabel' not allowed"},
		{"a label that YAML takes for a truth value", `networkPolicy: {nodeIngress: [{podSelector: {matchLabels: {shop: true}}}]}`, "matchLabels.shop", "want string"},
		{"an operator that there is not", `networkPolicy: {nodeIngress: [{podSelector: {matchExpressions: [{key: a, operator: Is}]}}]}`, "matchExpressions.0.operator", "'DoesNotExist'"},
		{"an operator without its values", `networkPolicy: {nodeIngress: [{podSelector: {matchExpressions: [{key: a, operator: In}]}}]}`, "podSelector.matchExpressions[0]", "write values for In"},
		{"an IP block without a network", `networkPolicy: {nodeIngress: [{ipBlock: {}}]}`, "networkPolicy.nodeIngress.0.ipBlock", "'cidr'"},
		{"an address for a network", `networkPolicy: {nodeIngress: [{ipBlock: {cidr: 198.51.100.7}}]}`, "networkPolicy.nodeIngress[0].ipBlock.cidr", "198.51.100.0/24"},
		{"an exception that is no network", `networkPolicy: {contractEgress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [all]}}]}]}`, "networkPolicy.contractEgress[0].to[0].ipBlock.except[0]", "198.51.100.8/32"},
		{"a network and a selector in one", `networkPolicy: {nodeIngress: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}`, "networkPolicy.nodeIngress[0]", "an entry of its own"},
		{"sources where destinations belong", `networkPolicy: {nodeEgress: [{from: []}]}`, "networkPolicy.nodeEgress.0", "'from' not allowed"},
		{"no protocol", `networkPolicy: {nodeEgress: [{ports: [{protocol: tcp}]}]}`, "ports.0.protocol", "'TCP'"},
		{"no port", `networkPolicy: {nodeEgress: [{ports: [{port: 70000}]}]}`, "ports.0.port", "65,535"},
		{"a port as text", `networkPolicy: {nodeEgress: [{ports: [{port: "8080"}]}]}`, "networkPolicy.nodeEgress[0].ports[0].port", "as a number"},
		{"a range that ends before it begins", `networkPolicy: {nodeEgress: [{ports: [{port: 90, endPort: 80}]}]}`, "networkPolicy.nodeEgress[0].ports[0].endPort", "not below"},

		{"no agent", `agent: {replicas: 0}`, "agent.replicas", "want 1"},
		{"more replicas than anybody stands by for", `agent: {replicas: 6}`, "agent.replicas", "want 5"},
		{"nobody works", `agent: {workers: 0}`, "agent.workers", "want 1"},
		{"a duration below the interval", `agent: {leaseDuration: 59s}`, "agent.leaseDuration", "write 1m at least"},
		{"an interval beyond the duration", `agent: {leaseInterval: 2m}`, "agent.leaseDuration", "a shorter agent.leaseInterval"},
		{"a duration that the host would cut short", `agent: {leaseDuration: 11m}`, "agent.leaseDuration", "from 1s to 10m"},
		{"an interval of nothing", `agent: {leaseInterval: 0s}`, "agent.leaseInterval", "from 1s to 10m"},
		{"a time without a unit", `agent: {leaseInterval: "60"}`, "agent.leaseInterval", "such as 1h30m"},
		{"a time in days", `agent: {credentialLifetime: 7d}`, "agent.credentialLifetime", "such as 1h30m"},
		{"a lifetime that the host does not grant", `agent: {credentialLifetime: 720h}`, "agent.credentialLifetime", "from 10m to 168h"},
		{"a lifetime that is over before it is renewed", `agent: {credentialLifetime: 9m59s}`, "agent.credentialLifetime", "from 10m to 168h"},
		{"a time longer than Go can count", `agent: {credentialLifetime: 9999999h}`, "agent.credentialLifetime", "from 10m to 168h"},
		{"memory in a unit that there is not", `agent: {resources: {limits: {memory: 512MB}}}`, "agent.resources.limits.memory", "512Mi"},
		{"resources that are no quantities", `gateway: {resources: {requests: {cpu: a lot}}}`, "gateway.resources.requests.cpu", "write a number"},

		{"no gateway", `gateway: {replicas: 0}`, "gateway.replicas", "want 1"},
		{"a URL for an address", `gateway: {addresses: ["https://line.example.com"]}`, "gateway.addresses[0]", "line.example.com"},
		{"a port that is none", `gateway: {addresses: ["203.0.113.1:0"]}`, "gateway.addresses[0]", "from 1 to 65535"},
		{"a port beyond all ports", `gateway: {addresses: ["203.0.113.1:65536"]}`, "gateway.addresses[0]", "from 1 to 65535"},
		{"IPv6 in brackets without a port", `gateway: {addresses: ["[2001:db8::1]"]}`, "gateway.addresses[0]", "[2001:db8::1]:30443"},
		{"a part of an IPv4 address", `gateway: {addresses: ["203.0.113"]}`, "gateway.addresses[0]", "203.0.113.1"},
		{"a name that means another place in each network", `gateway: {addresses: [gateway]}`, "gateway.addresses[0]", "line.example.com"},
		{"a name inside the cluster", `gateway: {addresses: [gateway-line.hanse-system.svc.cluster.local]}`, "gateway.addresses[0]", "line.example.com"},
		{"a port to allow", `gateway: {lines: {allow: ["10.0.0.1:7443"]}}`, "gateway.lines.allow[0]", "no port"},
		{"a pattern to allow", `gateway: {lines: {allow: ["*.example.com"]}}`, "gateway.lines.allow[0]", "stands for what lies below it"},
		{"a single label to allow", `gateway: {lines: {allow: [lines]}}`, "gateway.lines.allow[0]", "whole DNS name"},
		{"a name inside a cluster to allow", `gateway: {lines: {allow: [lines.local]}}`, "gateway.lines.allow[0]", "whole DNS name"},
		{"an address of too large a number to allow", `gateway: {lines: {allow: [10.0.0.256]}}`, "gateway.lines.allow[0]", "203.0.113.0/24"},
		{"a network of too many bits to allow", `gateway: {lines: {allow: [10.0.0.0/33]}}`, "gateway.lines.allow[0]", "203.0.113.0/24"},
		{"IPv4 in the form of IPv6 to allow", `gateway: {lines: {allow: ["::ffff:a00:0/104"]}}`, "gateway.lines.allow[0]", "203.0.113.0/24"},
		{"a name to deny", `gateway: {lines: {deny: [line.example.com]}}`, "gateway.lines.deny[0]", "a name cannot be excluded"},
		{"too many colons to deny", `gateway: {lines: {deny: ["1::2::3"]}}`, "gateway.lines.deny[0]", "10.42.0.0/16"},
		{"IPv4 in the form of IPv6 to deny", `gateway: {lines: {deny: ["0:0:0:0:0:FFFF:a00:0/104"]}}`, "gateway.lines.deny[0]", "10.42.0.0/16"},
		{"two sources could take all", `gateway: {limits: {connectionsPerSource: 8192}}`, "gateway.limits.connectionsPerSource", "write 4096 at the most"},
		{"two sources could take all half-open ones", `gateway: {limits: {halfOpenPerSource: 1000}}`, "gateway.limits.halfOpenPerSource", "write 512 at the most"},
		{"a limit that protects nobody", `gateway: {limits: {connections: 10}}`, "gateway.limits.connections", "want 64"},
		{"a limit that is misspelt", `gateway: {limits: {conections: 300}}`, "gateway.limits", "'conections' not allowed"},
		{"a time of the gateway without a unit", `gateway: {limits: {idleTimeout: "150"}}`, "gateway.limits.idleTimeout", "such as 1h30m"},
		{"a time that YAML takes for a number", `gateway: {limits: {idleTimeout: 150}}`, "gateway.limits.idleTimeout", "want string"},
		{"no time, which the gateway takes for its default", `gateway: {limits: {handshakeTimeout: 0s}}`, "gateway.limits.handshakeTimeout", "from 1s"},
		{"a type that the lines cannot reach", `gateway: {service: {type: ClusterIP}}`, "gateway.service.type", "'NodePort'"},
		{"a traffic policy that there is not", `gateway: {service: {externalTrafficPolicy: local}}`, "gateway.service.externalTrafficPolicy", "'Local'"},
		{"no port of a node", `gateway: {service: {nodePort: 70000}}`, "gateway.service.nodePort", "65,535"},
		{"a name for the address of a load balancer", `gateway: {service: {type: LoadBalancer, loadBalancerIP: lb.example.com}}`, "gateway.service.loadBalancerIP", "203.0.113.1"},
		{"a class that no load balancer has", `gateway: {service: {type: LoadBalancer, loadBalancerClass: "my class"}}`, "gateway.service.loadBalancerClass", "example.com/internal"},
		{"a load balancer's class where there is none", `gateway: {service: {loadBalancerClass: internal}}`, "gateway.service.type", "leave them empty"},
		{"an annotation that the chart needs itself", `gateway: {service: {annotations: {helm.sh/resource-policy: delete}}}`, "gateway.service.annotations", "leave it out"},

		{"a level that is none", `log: {level: loud}`, "log.level", "'debug'"},
		{"a format that is none", `log: {format: xml}`, "log.format", "'json'"},
		{"a label that the chart's own Services go by", `podLabels: {app.kubernetes.io/name: shop}`, "podLabels", "leave it out"},
		{"a label that makes every replica the one that leads", `podLabels: {federation.hanse.io/leading: "true"}`, "podLabels", "leave it out"},
		{"no value of a label", `podLabels: {team: "first team"}`, "podLabels.team", "63 letters"},
		{"no key of a label", `nodeSelector: {"a b": c}`, "a key of nodeSelector", "example.com/team"},
		{"no key of an annotation", `podAnnotations: {"a b": c}`, "a key of podAnnotations", "example.com/team"},
		{"a toleration that is misspelt", `tolerations: [{keys: a}]`, "tolerations.0", "'keys' not allowed"},
		{"an effect that there is not", `tolerations: [{key: a, effect: NoRun}]`, "tolerations.0.effect", "'NoSchedule'"},
		{"no name of a class", `priorityClassName: High Priority`, "priorityClassName", "system-cluster-critical"},
	} {
		out, err := render(t, c.values)
		_, message, _ := strings.Cut(out, "Error:")
		named := strings.Contains(message, c.name) || strings.Contains(message, "/"+strings.ReplaceAll(c.name, ".", "/"))
		if err == nil || !named || !strings.Contains(message, c.remedy) {
			t.Errorf("%s: %v: want %s and %q in\n%.600s", c.why, err, c.name, c.remedy, message)
		}
		if strings.Contains(message, "[0-9]") || strings.Contains(message, "pattern") {
			t.Errorf("%s: a regular expression is no sentence: %.600s", c.why, message)
		}
	}
}

// TestChartReportsAllProblems spares people one helm command for each mistake.
func TestChartReportsAllProblems(t *testing.T) {
	out, err := render(t, `{agent: {leaseDuration: 1d}, host: {caData: xyz}, gateway: {lines: {deny: [x]}}}`)
	for _, name := range []string{"agent.leaseDuration", "host.caData", "gateway.lines.deny[0]"} {
		if err == nil || !strings.Contains(out, name) {
			t.Errorf("%s is not among what is wrong: %v\n%s", name, err, out)
		}
	}
}

// TestProgramsAcceptChartValues has helm render values at the edge of what it takes, and the programs read what becomes
// of them: chart and programs cannot drift apart.
func TestProgramsAcceptChartValues(t *testing.T) {
	for _, c := range []struct{ why, values, becomes string }{
		{"the defaults", ``, "--lease-duration=80s"},
		{"the longest name", `member: {name: a23456789-123456789-123456789-1234567890}`, ""},
		{"a name of one letter", `member: {name: a}`, "--member=a"},
		{"an MSP ID with all that it may have", `member: {mspID: 1.First-Ltd}`, "--msp-id=1.First-Ltd"},
		{"a host by IPv6, behind a path", `host: {server: "https://[2001:db8::1]:65535/clusters/a"}`, ""},
		{"a host without a port", `host: {server: "https://host.example.com"}`, ""},
		{"an authority in lines, as base64 prints it without -w0", "host:\n  caData: |\n    " + hostAuthority[:76] + "\n    " + hostAuthority[76:], ""},
		{"two authorities", `host: {caData: ` + base64.StdEncoding.EncodeToString(append(newAuthority(), newAuthority()...)) + `}`, ""},
		{"no token any more", `bootstrap: {token: ""}`, ""},
		{"an image of a registry with a port, by digest", `image: {repository: "localhost:5000/a/b", digest: "sha256:` + strings.Repeat("0", 64) + `"}`, ""},
		{"a pull secret that is all digits", `imagePullSecrets: ["123"]`, "--image-pull-secret=123"},
		{"a registry of one's own", `global: {imageRegistry: "10.0.0.1:5000/mirror/a-b"}`, "--image-registry=10.0.0.1:5000/mirror/a-b"},
		{"no registry, as values of an earlier version have it", `global: null`, ""},
		{"another domain", `clusterDomain: k8s`, "--cluster-domain=k8s"},
		{"an issuer of another group", `identity: {issuerRef: {name: pca, kind: AWSPCAClusterIssuer, group: awspca.cert-manager.io}}`, "--issuer-kind=AWSPCAClusterIssuer"},
		{"every image", `policy: {nodeImages: ["*"], contractImages: ["*"]}`, "--node-image=*"},
		{"images by digest only", `policy: {nodeImages: ["docker.io/hyperledger/fabric-peer@sha256:"]}`, "--node-image=docker.io/hyperledger/fabric-peer@sha256:"},
		{"by hand", `policy: {contractApproval: ByHand, keepVolumes: true}`, "--contract-approval=ByHand"},
		{"limits as numbers", `policy: {limits: {nodes: 1, storage: 10995116277760, podCPU: 1.5}}`, "--limit=storage=10995116277760"},
		{"limits with units", `policy: {limits: {nodes: "1", planBytes: 1k, storage: 999999Pi, podCPU: 1m, podMemory: 0.5Gi}}`, "--limit=podMemory=0.5Gi"},
		{"names of all kinds", `policy: {extraSANs: [peer0, .example.com, "*.example.com", 192.0.2.0/32, "2001:db8::/128", "::1", 192.0.2.7]}`, "--extra-san=2001:db8::/128"},
		{"namespaces that are all digits", `networkPolicy: {applicationNamespaces: ["123"], monitoringNamespaces: [a]}`, "--application-namespace=123"},
		{"all that a peer of a policy may have", `networkPolicy: {nodeIngress: [{podSelector: {}}, {ipBlock: {cidr: "::/0", except: ["fd00::/8"]}},
			{namespaceSelector: {matchLabels: {a.b/c: d}, matchExpressions: [{key: e, operator: NotIn, values: [f]}, {key: g, operator: Exists}]}}]}`, "--node-ingress="},
		{"rules of all kinds", `networkPolicy: {nodeEgress: [{}, {ports: [{port: 1, endPort: 65535}, {port: https, protocol: UDP}, {protocol: SCTP}]}], contractEgress: [{to: [{ipBlock: {cidr: 10.0.0.1/32}}]}]}`, "--contract-egress="},
		{"no network policies", `networkPolicy: {enabled: false}`, "--network-policy=false"},
		{"a duration as long as the interval", `agent: {leaseInterval: 80s, leaseDuration: 1m20s}`, "--lease-duration=1m20s"},
		{"the shortest interval", `agent: {leaseInterval: 1s, leaseDuration: 1s}`, "--lease-interval=1s"},
		{"the longest duration", `agent: {leaseInterval: 600s, leaseDuration: 0h10m}`, "--lease-interval=600s"},
		{"the longest lifetime", `agent: {credentialLifetime: 167h59m60s, replicas: 5, workers: 64}`, "--credential-lifetime=167h59m60s"},
		{"the shortest lifetime", `agent: {credentialLifetime: 10m, workers: 1}`, "--credential-lifetime=10m"},
		{"quantities of all kinds", `agent: {resources: {requests: {cpu: 1, memory: 1.5Gi}, limits: {cpu: 0.5, memory: 0}}}`, ""},
		{"addresses of all kinds", `gateway: {addresses: [203.0.113.1, "203.0.113.1:65535", "2001:db8::1", "[2001:db8::1]:1", Line.Example.com, "a.b.:7443", "1.line.example.com"]}`, "--line-address=[2001:db8::1]:1"},
		{"far ends of all kinds", `gateway: {lines: {allow: [0.0.0.0/0, 10.0.0.1, "2001:db8::/32", "fd00::1", .Example.com, 1.lines.example.com., xn--bcher-kva.example], deny: [10.0.0.1/8, "1:2:3:4:5:6:7::", "::ffff:1:2:3/100"]}}`, "--line-allow=.Example.com"},
		{"the least limits", `gateway: {limits: {connections: 64, connectionsPerSource: 32, halfOpen: 32, halfOpenPerSource: 16, handshakeTimeout: 1s, idleTimeout: 1s}}`, "--max-connections-per-source=32"},
		{"the largest limits", `gateway: {limits: {connections: 100000, connectionsPerSource: 50000, halfOpen: 100000, halfOpenPerSource: 50000, handshakeTimeout: 10m, idleTimeout: 8760h}}`, "--idle-timeout=8760h"},
		{"an odd number of connections", `gateway: {limits: {connections: 65, connectionsPerSource: 32}}`, "--max-connections=65"},
		{"many gateways", `gateway: {replicas: 5}`, ""},
		{"a load balancer", `gateway: {service: {type: LoadBalancer, nodePort: 0, externalTrafficPolicy: Cluster, loadBalancerIP: "::1", loadBalancerClass: example.com/internal, annotations: {example.com/pool: lines}}}`, ""},
		{"logs", `log: {level: debug, format: text}`, "--log-level=debug"},
		{"pods", `{podLabels: {team: ""}, podAnnotations: {a: b c}, nodeSelector: {a: "true"}, tolerations: [{operator: Exists}, {key: a, effect: NoExecute, tolerationSeconds: 5}], priorityClassName: "123"}`, ""},
		{"no policy of admission", `admissionPolicy: false`, ""},
	} {
		out, err := render(t, c.values)
		if err != nil {
			t.Errorf("%s: %v\n%.2000s", c.why, err, out)
			continue
		}
		args := acceptedByPrograms(t, c.why, out)
		if !strings.Contains(args, c.becomes) {
			t.Errorf("%s: nobody is given %s: %s", c.why, c.becomes, args)
		}
	}
}

// acceptedByPrograms has the programs read what a chart has rendered, and answers with their arguments.
func acceptedByPrograms(t *testing.T, why, rendered string) string {
	t.Helper()
	var all []string
	strict := serializer.NewCodecFactory(clientgoscheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(rendered)))
	for {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := strict.Decode(text, nil, nil)
		if err != nil {
			t.Errorf("%s: the cluster would not take\n%s\n%v", why, text, err)
			continue
		}
		switch o := object.(type) {
		case *appsv1.Deployment:
			args := o.Spec.Template.Spec.Containers[0].Args
			all = append(all, args...)
			if err := accepted(t, o.Name, args); err != nil {
				t.Errorf("%s: %s does not take %q: %v", why, o.Name, args, err)
			}
		case *corev1.Secret:
			config := &rest.Config{Host: string(o.Data["server"]), BearerToken: string(o.Data["token"]), TLSClientConfig: rest.TLSClientConfig{CAData: o.Data["ca.crt"]}}
			if _, err := rest.HTTPClientFor(config); err != nil {
				t.Errorf("%s: the host's authority: %v", why, err)
			}
			if _, _, err := rest.DefaultServerUrlFor(config); err != nil {
				t.Errorf("%s: the host's URL: %v", why, err)
			}
		}
	}
	if len(all) == 0 {
		t.Errorf("%s: there is no Deployment in\n%.2000s", why, rendered)
	}
	return strings.Join(all, " ")
}

// accepted has a program read its arguments, as far as it goes without a cluster.
func accepted(t *testing.T, program string, args []string) error {
	t.Helper()
	if program != "gateway" {
		sub, rest, err := command().Find(args)
		if err != nil {
			return err
		}
		return errors.Join(sub.ParseFlags(rest), validated(rest))
	}
	o := gateway.DefaultOptions()
	flags := pflag.NewFlagSet("gateway", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true // those that are the program's
	o.AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	o.Source, o.Sink, o.CertDir = &configmap.Source{}, &configmap.Sink{}, t.TempDir()
	if err := gateway.Run(t.Context(), o); !errors.Is(err, fs.ErrNotExist) { // the certificate, which is read once the options are sound
		return fmt.Errorf("the gateway does not come to look for its certificate: %w", err)
	}
	return nil
}

// validated has the agent look at its flags.
func validated(args []string) error {
	o := defaults()
	flags := pflag.NewFlagSet("run", pflag.ContinueOnError)
	o.addFlags(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	return o.validate()
}
