package fabric

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/hanse-io/hanse/ledger"
)

// couchDBConfig keeps CouchDB, and Erlang's own port, to the pod.
const couchDBConfig = `[couchdb]
single_node = true
[chttpd]
bind_address = 127.0.0.1
port = 5984
`

// addCouchDB runs a CouchDB beside a peer, started before it and stopped after it. It listens in the pod only. Its
// password is the pod's UID: both containers learn it from the API server at the start of the pod, it stands in no
// object that outlives the pod, and there is no Secret to keep.
func addCouchDB(image string, pod *corev1.PodSpec, peer *corev1.Container, files map[string]string) {
	always := corev1.ContainerRestartPolicyAlways
	password := func(name string) corev1.EnvVar {
		return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.uid"}}}
	}
	files[couchDBFile] = couchDBConfig
	pod.Volumes = append(pod.Volumes, corev1.Volume{
		Name: "couchdb", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}},
	})
	pod.InitContainers = append(pod.InitContainers, corev1.Container{
		Name:          "couchdb",
		Image:         image,
		RestartPolicy: &always,
		Env: append(variables(
			"COUCHDB_USER", "peer",
			"HOME", "/tmp",
			"ERL_EPMD_ADDRESS", "127.0.0.1",
			"ERL_FLAGS", "-kernel inet_dist_use_interface {127,0,0,1}",
		), password("COUCHDB_PASSWORD")),
		ImagePullPolicy: corev1.PullIfNotPresent,
		Resources:       resources(nil, "50m", "128Mi"),
		StartupProbe: &corev1.Probe{
			// The kubelet asks from outside the pod, where CouchDB does not listen.
			ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{
				Command: []string{"curl", "--fail", "--silent", "http://127.0.0.1:5984/_up"},
			}},
			PeriodSeconds: 2, FailureThreshold: 300,
		},
		SecurityContext: restrictedContext(),
		VolumeMounts: []corev1.VolumeMount{
			{Name: ledger.DataVolume, MountPath: "/opt/couchdb/data", SubPath: "couchdb"},
			{Name: "couchdb", MountPath: "/opt/couchdb/etc/local.d"},
			{Name: ledger.FilesVolume, MountPath: "/opt/couchdb/etc/local.d/hanse.ini", SubPath: couchDBFile},
			{Name: "tmp", MountPath: "/tmp"},
		},
	})
	peer.Env = append(peer.Env, variables(
		"CORE_LEDGER_STATE_STATEDATABASE", "CouchDB",
		"CORE_LEDGER_STATE_COUCHDBCONFIG_COUCHDBADDRESS", "127.0.0.1:5984",
		"CORE_LEDGER_STATE_COUCHDBCONFIG_USERNAME", "peer",
	)...)
	peer.Env = append(peer.Env, password("CORE_LEDGER_STATE_COUCHDBCONFIG_PASSWORD"))
}
