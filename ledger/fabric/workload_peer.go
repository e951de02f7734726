package fabric

import (
	"cmp"
	_ "embed"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

//go:embed core.yaml
var coreYAML string

func peerWorkload(plan *v1alpha1.MemberPlan, node v1alpha1.PlanNode, tlsRoots []string) ledger.Workload {
	pod, mounts := nodePod(plan, node)
	mounts = append(mounts, corev1.VolumeMount{Name: ledger.FilesVolume, MountPath: configDir, ReadOnly: true})
	peer := corev1.Container{
		Name:            "peer",
		Image:           cmp.Or(node.Image, settings(plan).PeerImage),
		Command:         []string{"peer", "node", "start"},
		Env:             peerEnvironment(plan, node, tlsRoots),
		ImagePullPolicy: corev1.PullIfNotPresent,
		Ports: []corev1.ContainerPort{
			{Name: "peer", ContainerPort: v1alpha1.PortPeer},
			{Name: "operations", ContainerPort: v1alpha1.PortPeerOperations},
		},
		Resources:       resources(node.Resources, "50m", "128Mi"),
		SecurityContext: restrictedContext(),
		VolumeMounts:    mounts,
	}
	healthProbes(&peer, v1alpha1.PortPeerOperations)
	files := map[string]string{mspConfigFile: mspConfig(), coreFile: coreYAML}
	if node.StateDatabase == v1alpha1.StateCouchDB {
		addCouchDB(cmp.Or(node.StateDatabaseImage, settings(plan).CouchDBImage), &pod, &peer, files)
	}
	pod.Containers = []corev1.Container{peer}
	return ledger.Workload{
		Name: node.Name, Node: &node, Pod: pod, Files: files,
		Ports: []corev1.ServicePort{
			servicePort("peer", v1alpha1.PortPeer),
			servicePort("operations", v1alpha1.PortPeerOperations),
		},
		Secrets: []string{nodeIdentity(node.Name), nodeTLS(node.Name)},
	}
}

func peerEnvironment(plan *v1alpha1.MemberPlan, node v1alpha1.PlanNode, tlsRoots []string) []corev1.EnvVar {
	address := nodeAddress(plan, node.Name, v1alpha1.PortPeer)
	return variables(
		"FABRIC_CFG_PATH", configDir,
		"FABRIC_LOGGING_SPEC", logLevel(node),
		"CORE_PEER_ID", node.Name,
		"CORE_PEER_NETWORKID", plan.Spec.Consortium,
		"CORE_PEER_ADDRESS", address,
		"CORE_PEER_LISTENADDRESS", fmt.Sprintf("0.0.0.0:%d", v1alpha1.PortPeer),
		// Contracts are dialled; nothing dials the peer for them.
		"CORE_PEER_CHAINCODELISTENADDRESS", "127.0.0.1:7052",
		"CORE_PEER_LOCALMSPID", MSPID(plan, plan.Spec.Member),
		"CORE_PEER_MSPCONFIGPATH", mspDir,
		"CORE_PEER_FILESYSTEMPATH", dataDir,
		"CORE_LEDGER_SNAPSHOTS_ROOTDIR", dataDir+"/snapshots",
		"CORE_PEER_TLS_ENABLED", "true",
		"CORE_PEER_TLS_CERT_FILE", tlsDir+"/tls.crt",
		"CORE_PEER_TLS_KEY_FILE", tlsDir+"/tls.key",
		"CORE_PEER_TLS_ROOTCERT_FILE", tlsDir+"/ca.crt",
		"CORE_PEER_GOSSIP_BOOTSTRAP", address,
		"CORE_PEER_GOSSIP_ENDPOINT", address,
		"CORE_PEER_GOSSIP_EXTERNALENDPOINT", address,
		// Every peer takes its blocks from the orderers itself: no peer waits for an elected one that cannot reach them.
		"CORE_PEER_GOSSIP_USELEADERELECTION", "false",
		"CORE_PEER_GOSSIP_ORGLEADER", "true",
		"CORE_PEER_GOSSIP_STATE_ENABLED", "false",
		// A peer that comes back is seen again within seconds, by organizations that need its endorsement; and so is one that
		// was not in the channel yet, or dialed back in the same moment, when its anchor was first tried.
		"CORE_PEER_GOSSIP_RECONNECTINTERVAL", "1s",
		// For a day. The default gives an anchor up after 120 tries, until it dials itself or the channel's configuration changes.
		"CORE_PEER_GOSSIP_MAXCONNECTIONATTEMPTS", "86400",
		// What a peer has to say of itself, its height and contracts, it says at most so often, and only if it has changed. By
		// the default of 4s a committed contract waits for it before it can be endorsed.
		"CORE_PEER_GOSSIP_PUBLISHSTATEINFOINTERVAL", "1s",
		// The default tries for an hour and then ends the process.
		"CORE_PEER_DELIVERYCLIENT_RECONNECTTOTALTIMETHRESHOLD", "87600h",
		"CORE_PEER_DELIVERYCLIENT_RECONNECTBACKOFFTHRESHOLD", "10s",
		"CORE_OPERATIONS_LISTENADDRESS", fmt.Sprintf("0.0.0.0:%d", v1alpha1.PortPeerOperations),
		// /healthz answers anybody. What can be written, and what tells more, is for a client of the organization's only.
		"CORE_OPERATIONS_TLS_ENABLED", "true",
		"CORE_OPERATIONS_TLS_CERT_FILE", tlsDir+"/tls.crt",
		"CORE_OPERATIONS_TLS_KEY_FILE", tlsDir+"/tls.key",
		"CORE_OPERATIONS_TLS_CLIENTAUTHREQUIRED", "false",
		"CORE_OPERATIONS_TLS_CLIENTROOTCAS_FILES", tlsDir+"/ca.crt",
		"CORE_METRICS_PROVIDER", "prometheus",
		"CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG", builderConfig(tlsRoots),
	)
}
