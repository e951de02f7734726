package fabric

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// Where a node finds its things. The data directory is the one of the official images.
const (
	mspDir      = "/etc/hanse/msp"
	tlsDir      = "/etc/hanse/tls"
	operatorDir = "/etc/hanse/operator"
	configDir   = "/etc/hanse/config"
	dataDir     = "/var/hyperledger/production"
)

// Names of the files in a workload's ConfigMap.
const (
	mspConfigFile = "config.yaml"
	coreFile      = "core.yaml"
	couchDBFile   = "couchdb.ini"
)

// runAs is the user that everything runs as; the official images do not mind which.
const runAs int64 = 65532

// mspConfig makes an MSP tell admins, clients, peers and orderers apart by the organizational unit in a certificate.
func mspConfig() string {
	var text strings.Builder
	text.WriteString("NodeOUs:\n  Enable: true\n")
	for _, unit := range []string{"client", "peer", "admin", "orderer"} {
		fmt.Fprintf(&text, "  %sOUIdentifier:\n    Certificate: cacerts/ca.pem\n    OrganizationalUnitIdentifier: %s\n",
			strings.ToUpper(unit[:1])+unit[1:], unit)
	}
	return text.String()
}

// basePod is the base of all pods: restricted, without token and service variables.
func basePod() corev1.PodSpec {
	no, yes, user := false, true, runAs
	onMismatch := corev1.FSGroupChangeOnRootMismatch
	grace := int64(30)
	return corev1.PodSpec{
		AutomountServiceAccountToken:  &no,
		EnableServiceLinks:            &no,
		TerminationGracePeriodSeconds: &grace,
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: &yes, RunAsUser: &user, RunAsGroup: &user, FSGroup: &user,
			FSGroupChangePolicy: &onMismatch,
			SeccompProfile:      &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Volumes: []corev1.Volume{{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
	}
}

func restrictedContext() *corev1.SecurityContext {
	no, yes := false, true
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes,
		Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}

// nodePod adds a node's own identity, its TLS certificate and its data to a pod.
func nodePod(plan *v1alpha1.MemberPlan, node v1alpha1.PlanNode) (corev1.PodSpec, []corev1.VolumeMount) {
	pod := basePod()
	pod.Affinity = antiAffinity(plan, node.Role)
	mode := int32(0o440)
	pod.Volumes = append(pod.Volumes,
		corev1.Volume{Name: "msp", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			DefaultMode: &mode,
			Sources: []corev1.VolumeProjection{
				{Secret: &corev1.SecretProjection{
					LocalObjectReference: corev1.LocalObjectReference{Name: nodeIdentity(node.Name)},
					Items: []corev1.KeyToPath{
						{Key: "tls.crt", Path: "signcerts/cert.pem"},
						{Key: "tls.key", Path: "keystore/key.pem"},
						{Key: "ca.crt", Path: "cacerts/ca.pem"},
					},
				}},
				{ConfigMap: &corev1.ConfigMapProjection{
					LocalObjectReference: corev1.LocalObjectReference{Name: node.Name},
					Items:                []corev1.KeyToPath{{Key: mspConfigFile, Path: mspConfigFile}},
				}},
			},
		}}},
		corev1.Volume{Name: "tls", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: nodeTLS(node.Name), DefaultMode: &mode,
		}}},
	)
	return pod, []corev1.VolumeMount{
		{Name: "msp", MountPath: mspDir, ReadOnly: true},
		{Name: "tls", MountPath: tlsDir, ReadOnly: true},
		{Name: ledger.DataVolume, MountPath: dataDir},
		{Name: "tmp", MountPath: "/tmp"},
	}
}

// antiAffinity prefers different machines for a Member's nodes of one role.
func antiAffinity(plan *v1alpha1.MemberPlan, role v1alpha1.NodeRole) *corev1.Affinity {
	var names []string
	for _, node := range plan.Spec.Nodes {
		if node.Role == role {
			names = append(names, node.Name)
		}
	}
	slices.Sort(names)
	return &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
		PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{
			Weight: 100,
			PodAffinityTerm: corev1.PodAffinityTerm{
				TopologyKey: corev1.LabelHostname,
				LabelSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
					{Key: v1alpha1.LabelNode, Operator: metav1.LabelSelectorOpIn, Values: names},
				}},
			},
		}},
	}}
}

// healthProbes ask the operations endpoint. Start may take ten minutes: a node that comes back replays its ledger.
func healthProbes(container *corev1.Container, port int) {
	probe := func(period, failures int32) *corev1.Probe {
		return &corev1.Probe{
			ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
				Path: "/healthz", Port: intstr.FromInt(port), Scheme: corev1.URISchemeHTTPS,
			}},
			PeriodSeconds: period, TimeoutSeconds: 5, SuccessThreshold: 1, FailureThreshold: failures,
		}
	}
	container.StartupProbe = probe(1, 600)
	container.ReadinessProbe = probe(5, 3)
	container.LivenessProbe = probe(20, 6)
}

func resources(given *corev1.ResourceRequirements, cpu, memory string) corev1.ResourceRequirements {
	if given != nil {
		return *given
	}
	return corev1.ResourceRequirements{Requests: corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory),
	}}
}

// logLevel is what a node logs. Kubernetes would expand $(NAME) to another variable.
func logLevel(node v1alpha1.PlanNode) string {
	return strings.ReplaceAll(string(cmp.Or(node.LogLevel, "info")), "$", "$$")
}

// variables turns pairs of name and value into a container's environment.
func variables(pairs ...string) []corev1.EnvVar {
	var env []corev1.EnvVar
	for pair := range slices.Chunk(pairs, 2) {
		env = append(env, corev1.EnvVar{Name: pair[0], Value: pair[1]})
	}
	return env
}

func servicePort(name string, port int32) corev1.ServicePort {
	return corev1.ServicePort{Name: name, Port: port, TargetPort: intstr.FromInt32(port), Protocol: corev1.ProtocolTCP}
}
