package profile

// nodeOUs is the MSP configuration that tells roles by organizational unit, as in Fabric's sample configuration.
const nodeOUs = `NodeOUs:
  Enable: true
  ClientOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: client}
  PeerOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: peer}
  AdminOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: admin}
  OrdererOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: orderer}
`

// core is what Fabric's peer command does not start without: everything else comes by environment variables.
const core = `peer:
  BCCSP: {Default: SW, SW: {Hash: SHA2, Security: 256}}
  client: {connTimeout: 10s}
`

// AdminIdentity is the name of the Member's administrator, AdminTLSIdentity that of the TLS client certificate that opens the
// administration of its nodes, and UserIdentity that of its applications' identity.
func AdminIdentity(member string) string    { return "admin-" + member }
func AdminTLSIdentity(member string) string { return "admin-" + member + "-tls" }
func UserIdentity(member string) string     { return "user-" + member }

// Secrets are the names of those with an identity.
func (e environment) Secrets(administrator bool) (identity, operator string) {
	if administrator {
		return AdminIdentity(e.member), AdminTLSIdentity(e.member)
	}
	return UserIdentity(e.member), ""
}

// Files lays out the folder. An application's has no TLS key: operator is nil for it.
func (e environment) Files(identity, operator map[string][]byte) map[string][]byte {
	out := map[string][]byte{
		"core.yaml":              []byte(core),
		"connection.json":        e.profile,
		"msp/config.yaml":        []byte(nodeOUs),
		"msp/cacerts/ca.pem":     identity["ca.crt"],
		"msp/signcerts/cert.pem": identity["tls.crt"],
		"msp/keystore/key.pem":   identity["tls.key"],
		"tls/ca.pem":             []byte(e.tlsRoots),
	}
	if operator != nil {
		out["tls/client.pem"] = operator["tls.crt"]
		out["tls/client.key"] = operator["tls.key"]
	}
	return out
}

// Variables are the environment of Fabric's own programs.
func (e environment) Variables(folder string, operator bool) map[string]string {
	values := map[string]string{
		"FABRIC_CFG_PATH":             folder,
		"CORE_PEER_LOCALMSPID":        e.mspID,
		"CORE_PEER_MSPCONFIGPATH":     folder + "/msp",
		"CORE_PEER_TLS_ENABLED":       "true",
		"CORE_PEER_TLS_ROOTCERT_FILE": folder + "/tls/ca.pem",
		"ORDERER_CA":                  folder + "/tls/ca.pem",
	}
	if operator {
		values["OSN_TLS_CA_ROOT_CERT"] = folder + "/tls/ca.pem"
		values["OSN_TLS_CLIENT_CERT"] = folder + "/tls/client.pem"
		values["OSN_TLS_CLIENT_KEY"] = folder + "/tls/client.key"
	}
	if e.peer != "" {
		values["CORE_PEER_ADDRESS"] = e.peer
	}
	if e.orderer != "" {
		values["ORDERER_ADDRESS"] = e.orderer
	}
	return values
}
