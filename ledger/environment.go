package ledger

// Tools read what a Driver has written down for a Member's applications, and prepare the use of the ledger's own programs with
// it. Pure; they must not link the ledger's libraries.
type Tools interface {
	// Environment reads a connection profile, the file of that name.
	Environment(profile []byte) (Environment, error)
}

// Environment is an organization's own part of a connection profile.
type Environment interface {
	// Member that the profile is for.
	Member() string
	// RunsNodes is whether it runs any node that programs could connect to.
	RunsNodes() bool
	// Secrets are the names of those with the Member's identity: the administrator's, with the one that opens the administration
	// of its own nodes, or an application's, with none.
	Secrets(administrator bool) (identity, operator string)
	// Files of a folder for an identity, by path in it. identity and operator are Secrets' data with tls.crt, tls.key and ca.crt;
	// operator opens the administration of the organization's own nodes, and is nil for an application.
	Files(identity, operator map[string][]byte) map[string][]byte
	// Variables are the environment of the ledger's own programs that use the folder, by name.
	Variables(folder string, operator bool) map[string]string
}
