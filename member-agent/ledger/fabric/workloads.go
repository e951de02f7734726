package fabric

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/ledger"
)

// Workloads lists the plan's peers, orderers and contracts. A Member that runs no peer needs no contract either.
func (e *Engine) Workloads(plan *v1alpha1.MemberPlan) ([]ledger.Workload, error) {
	var workloads []ledger.Workload
	var peers bool
	for _, node := range plan.Spec.Nodes {
		switch node.Role {
		case v1alpha1.RolePeer:
			peers = true
			workloads = append(workloads, peerWorkload(plan, node))
		case v1alpha1.RoleOrderer:
			workloads = append(workloads, ordererWorkload(plan, node))
		default:
			return nil, fmt.Errorf("node %s has the role %q, which Fabric does not know: it is Peer or Orderer", node.Name, node.Role)
		}
	}
	if !peers {
		return workloads, nil
	}
	for _, contract := range plan.Spec.Contracts {
		if !takesPart(plan, contract.Channel) {
			continue
		}
		workload, err := contractWorkload(plan, contract)
		if err != nil {
			return nil, fmt.Errorf("contract %s on channel %s: %w", contract.Name, contract.Channel, err)
		}
		workloads = append(workloads, workload)
	}
	return workloads, nil
}

func contractWorkload(plan *v1alpha1.MemberPlan, contract v1alpha1.PlanContract) (ledger.Workload, error) {
	id, _, err := contractPackage(plan.Spec.Consortium, contract)
	if err != nil {
		return ledger.Workload{}, err
	}
	listens := corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(v1alpha1.PortContract)}}
	pod := basePod()
	pod.Containers = []corev1.Container{{
		Name:  "contract",
		Image: contract.Image,
		Env: variables(
			"CHAINCODE_ID", id,
			// Fabric's shims of other languages read this name.
			"CORE_CHAINCODE_ID_NAME", id,
			"CHAINCODE_SERVER_ADDRESS", fmt.Sprintf("0.0.0.0:%d", v1alpha1.PortContract),
		),
		ImagePullPolicy: corev1.PullIfNotPresent,
		Ports:           []corev1.ContainerPort{{Name: "contract", ContainerPort: v1alpha1.PortContract}},
		Resources:       resources(contract.Resources, "20m", "32Mi"),
		// A contract listens within a second. Until then it is asked often, and no more than others from then on.
		StartupProbe:    &corev1.Probe{ProbeHandler: listens, PeriodSeconds: 1, FailureThreshold: 600},
		ReadinessProbe:  &corev1.Probe{ProbeHandler: listens, PeriodSeconds: 5},
		SecurityContext: restricted(),
		VolumeMounts:    []corev1.VolumeMount{{Name: "tmp", MountPath: "/tmp"}},
	}}
	return ledger.Workload{
		Name: contractName(contract), Contract: &contract, Pod: pod,
		Ports: []corev1.ServicePort{servicePort("contract", v1alpha1.PortContract)},
	}, nil
}
