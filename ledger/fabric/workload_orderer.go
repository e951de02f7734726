package fabric

import (
	"cmp"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

func ordererWorkload(plan *v1alpha1.MemberPlan, node v1alpha1.PlanNode) ledger.Workload {
	pod, mounts := nodePod(plan, node)
	mounts = append(mounts, addOperatorRoot(plan, &pod))
	orderer := corev1.Container{
		Name:            "orderer",
		Image:           cmp.Or(node.Image, settings(plan).OrdererImage),
		Command:         []string{"orderer"},
		Env:             ordererEnvironment(plan, node),
		ImagePullPolicy: corev1.PullIfNotPresent,
		Ports: []corev1.ContainerPort{
			{Name: "orderer", ContainerPort: v1alpha1.PortOrderer},
			{Name: "admin", ContainerPort: v1alpha1.PortOrdererAdmin},
			{Name: "operations", ContainerPort: v1alpha1.PortOrdererOperations},
		},
		Resources:       resources(node.Resources, "50m", "96Mi"),
		SecurityContext: restrictedContext(),
		VolumeMounts:    mounts,
	}
	healthProbes(&orderer, v1alpha1.PortOrdererOperations)
	pod.Containers = []corev1.Container{orderer}
	return ledger.Workload{
		Name: node.Name, Node: &node, Pod: pod,
		Files: map[string]string{mspConfigFile: mspConfig()},
		Ports: []corev1.ServicePort{
			servicePort("orderer", v1alpha1.PortOrderer),
			servicePort("admin", v1alpha1.PortOrdererAdmin),
			servicePort("operations", v1alpha1.PortOrdererOperations),
		},
		Secrets: []string{nodeIdentity(node.Name), nodeTLS(node.Name), AdminTLSIdentity(plan.Spec.Member)},
	}
}

// addOperatorRoot mounts the authority by which an orderer knows its operator.
func addOperatorRoot(plan *v1alpha1.MemberPlan, pod *corev1.PodSpec) corev1.VolumeMount {
	mode := int32(0o440)
	pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "operator", VolumeSource: corev1.VolumeSource{
		Projected: &corev1.ProjectedVolumeSource{DefaultMode: &mode, Sources: []corev1.VolumeProjection{{
			Secret: &corev1.SecretProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: AdminTLSIdentity(plan.Spec.Member)},
				// The key stays out of the pod.
				Items: []corev1.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}},
			},
		}}},
	}})
	return corev1.VolumeMount{Name: "operator", MountPath: operatorDir, ReadOnly: true}
}

// ordererEnvironment has the other orderers on the same port as the peers, with the node's one TLS certificate: by it
// they know a consenter.
func ordererEnvironment(plan *v1alpha1.MemberPlan, node v1alpha1.PlanNode) []corev1.EnvVar {
	const certificate, key, authority = tlsDir + "/tls.crt", tlsDir + "/tls.key", tlsDir + "/ca.crt"
	return variables(
		"FABRIC_LOGGING_SPEC", logLevel(node),
		"ORDERER_GENERAL_LISTENADDRESS", "0.0.0.0",
		"ORDERER_GENERAL_LISTENPORT", strconv.Itoa(v1alpha1.PortOrderer),
		"ORDERER_GENERAL_LOCALMSPID", MSPID(plan, plan.Spec.Member),
		"ORDERER_GENERAL_LOCALMSPDIR", mspDir,
		"ORDERER_GENERAL_BOOTSTRAPMETHOD", "none",
		"ORDERER_CHANNELPARTICIPATION_ENABLED", "true",
		"ORDERER_GENERAL_TLS_ENABLED", "true",
		"ORDERER_GENERAL_TLS_CERTIFICATE", certificate,
		"ORDERER_GENERAL_TLS_PRIVATEKEY", key,
		"ORDERER_GENERAL_TLS_ROOTCAS", "["+authority+"]",
		"ORDERER_GENERAL_CLUSTER_CLIENTCERTIFICATE", certificate,
		"ORDERER_GENERAL_CLUSTER_CLIENTPRIVATEKEY", key,
		"ORDERER_GENERAL_CLUSTER_ROOTCAS", "["+authority+"]",
		// So long, instead of 7 s, an orderer that has lost its connection to the Raft leader keeps a transaction before it says
		// that it cannot pass it on, and the client's peer tries another orderer.
		"ORDERER_GENERAL_CLUSTER_RPCTIMEOUT", "2s",
		// Any certificate of an authority in CLIENTROOTCAS opens the channel participation API, whomever it is about: so it is
		// not the TLS authority, which issues the peers' as well.
		"ORDERER_ADMIN_LISTENADDRESS", fmt.Sprintf("0.0.0.0:%d", v1alpha1.PortOrdererAdmin),
		"ORDERER_ADMIN_TLS_ENABLED", "true",
		"ORDERER_ADMIN_TLS_CERTIFICATE", certificate,
		"ORDERER_ADMIN_TLS_PRIVATEKEY", key,
		"ORDERER_ADMIN_TLS_ROOTCAS", "["+authority+"]",
		"ORDERER_ADMIN_TLS_CLIENTAUTHREQUIRED", "true",
		"ORDERER_ADMIN_TLS_CLIENTROOTCAS", "["+operatorDir+"/ca.crt]",
		"ORDERER_FILELEDGER_LOCATION", dataDir+"/orderer",
		"ORDERER_CONSENSUS_WALDIR", dataDir+"/orderer/etcdraft/wal",
		"ORDERER_CONSENSUS_SNAPDIR", dataDir+"/orderer/etcdraft/snapshot",
		"ORDERER_OPERATIONS_LISTENADDRESS", fmt.Sprintf("0.0.0.0:%d", v1alpha1.PortOrdererOperations),
		// /healthz answers anybody. What can be written, and what tells more, is for a client of the organization's only.
		"ORDERER_OPERATIONS_TLS_ENABLED", "true",
		"ORDERER_OPERATIONS_TLS_CERTIFICATE", certificate,
		"ORDERER_OPERATIONS_TLS_PRIVATEKEY", key,
		"ORDERER_OPERATIONS_TLS_CLIENTAUTHREQUIRED", "false",
		"ORDERER_OPERATIONS_TLS_CLIENTROOTCAS", "["+authority+"]",
		"ORDERER_METRICS_PROVIDER", "prometheus",
	)
}
