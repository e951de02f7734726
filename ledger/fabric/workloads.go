package fabric

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// Workloads lists the plan's peers, orderers and contracts. A Member that runs no peer needs no contract either.
func (d *Driver) Workloads(plan *v1alpha1.MemberPlan, roots map[ledger.Authority][]string) ([]ledger.Workload, error) {
	var workloads []ledger.Workload
	for _, node := range plan.Spec.Nodes {
		var workload ledger.Workload
		switch node.Role {
		case v1alpha1.RolePeer:
			workload = peerWorkload(plan, node, roots[ledger.TLSAuthority])
		case v1alpha1.RoleOrderer:
			workload = ordererWorkload(plan, node)
		default:
			return nil, fmt.Errorf("node %s has the role %q, which Fabric does not know: it is Peer or Orderer", node.Name, node.Role)
		}
		workload.NotAllowed = d.notAllowed(plan, node)
		workloads = append(workloads, workload)
	}
	for _, contract := range ownContracts(plan) {
		workload, err := contractWorkload(plan, contract)
		if err != nil {
			return nil, fmt.Errorf("contract %s on channel %s: %w", contract.Name, contract.Channel, err)
		}
		workloads = append(workloads, workload)
	}
	return workloads, nil
}

// ownContracts are those that the plan's Member runs: of the channels that it is a member of, if it has a peer to call
// them.
func ownContracts(plan *v1alpha1.MemberPlan) []v1alpha1.PlanContract {
	if !slices.ContainsFunc(plan.Spec.Nodes, func(n v1alpha1.PlanNode) bool { return n.Role == v1alpha1.RolePeer }) {
		return nil
	}
	var own []v1alpha1.PlanContract
	for _, contract := range plan.Spec.Contracts {
		if isChannelMember(plan, contract.Channel) {
			own = append(own, contract)
		}
	}
	return own
}

func contractWorkload(plan *v1alpha1.MemberPlan, contract v1alpha1.PlanContract) (ledger.Workload, error) {
	id, _, err := contractPackage(plan.Spec.Consortium, contract)
	if err != nil {
		return ledger.Workload{}, err
	}
	listens := corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(v1alpha1.PortContract)}}
	pod := basePod()
	container := corev1.Container{
		Name:            "contract",
		Image:           contract.Image,
		Env:             contractEnvironment(plan, contract, id),
		ImagePullPolicy: corev1.PullIfNotPresent,
		Ports:           []corev1.ContainerPort{{Name: "contract", ContainerPort: v1alpha1.PortContract}},
		Resources:       resources(contract.Resources, "20m", "32Mi"),
		// A contract listens within a second. Until then it is asked often, and no more than others from then on.
		StartupProbe:    &corev1.Probe{ProbeHandler: listens, PeriodSeconds: 1, FailureThreshold: 600},
		ReadinessProbe:  &corev1.Probe{ProbeHandler: listens, PeriodSeconds: 5},
		SecurityContext: restrictedContext(),
		VolumeMounts:    []corev1.VolumeMount{{Name: "tmp", MountPath: "/tmp"}},
	}
	workload := ledger.Workload{
		Name: contractName(contract), Contract: &contract,
		Ports: []corev1.ServicePort{servicePort("contract", v1alpha1.PortContract)},
	}
	if contract.TLS {
		mode := int32(0o440)
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "tls", VolumeSource: corev1.VolumeSource{
			Secret: &corev1.SecretVolumeSource{SecretName: contractTLS(contract), DefaultMode: &mode},
		}})
		container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: "tls", MountPath: tlsDir, ReadOnly: true})
		workload.Secrets = []string{contractTLS(contract)}
	}
	pod.Containers = []corev1.Container{container}
	workload.Pod = pod
	return workload, nil
}

// contractEnvironment is what Fabric's shims of all languages read, after the contract's own variables: of two of one
// name the later counts.
func contractEnvironment(plan *v1alpha1.MemberPlan, contract v1alpha1.PlanContract, id string) []corev1.EnvVar {
	var env []corev1.EnvVar
	for _, own := range contract.Env {
		if isReservedVariable(own.Name) {
			continue
		}
		variable := corev1.EnvVar{Name: own.Name}
		switch {
		case own.SecretKeyRef != nil:
			variable.ValueFrom = &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: own.SecretKeyRef.Name}, Key: own.SecretKeyRef.Key,
			}}
		case own.Value != nil:
			// Kubernetes would expand $(NAME) to another variable, which is not intended.
			variable.Value = strings.ReplaceAll(*own.Value, "$", "$$")
		}
		env = append(env, variable)
	}
	env = append(env, variables(
		"CORE_PEER_LOCALMSPID", MSPID(plan, plan.Spec.Member),
		"CORE_CHAINCODE_ID_NAME", id,
		"CHAINCODE_ID", id,
		"CHAINCODE_SERVER_ADDRESS", fmt.Sprintf("0.0.0.0:%d", v1alpha1.PortContract),
		"CORE_PEER_TLS_ENABLED", strconv.FormatBool(contract.TLS),
		"CHAINCODE_TLS_DISABLED", strconv.FormatBool(!contract.TLS),
	)...)
	if contract.TLS {
		env = append(env, variables("CHAINCODE_TLS_KEY", tlsDir+"/tls.key", "CHAINCODE_TLS_CERT", tlsDir+"/tls.crt")...)
	}
	return env
}

// isReservedVariable says whether a variable is one that only the agent sets. The API rejects these names too; a plan may come from
// a host whose API does not.
func isReservedVariable(name string) bool {
	return strings.HasPrefix(name, "CORE_") || strings.HasPrefix(name, "CHAINCODE_")
}
