package v1alpha1

// How a Member's applications connect, as its own agent writes it down from what it has verified.
const (
	// ConnectionConfigMap is the ConfigMap in the consortium's namespace in the Member's cluster. No workload can have a
	// name with a dot in it.
	ConnectionConfigMap = "connection.hanse.io"
	// ConnectionProfile is the key of Fabric's connection profile (JSON) in it. There is nothing secret in it.
	ConnectionProfile = "connection.json"
	// AnnotationConnectionMembers, on it, names the Members whose nodes and roots are in it, sorted, with commas.
	AnnotationConnectionMembers = GroupName + "/connection-members"
	// AnnotationConnectionMissing names the Members of the plan that are not in it yet, in the same way.
	AnnotationConnectionMissing = GroupName + "/connection-missing"
)
