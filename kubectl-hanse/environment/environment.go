// Package environment prepares a folder and the environment variables with which the ledger's own command line works as
// an organization's administrator. It reads that organization's Secrets with the person's own rights, in the
// organization's own cluster. It must not talk to the host.
package environment

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/kubectl-hanse/access"
)

// nodeOUs is the MSP configuration that tells roles by organizational unit, as in Fabric's sample configuration.
const nodeOUs = `NodeOUs:
  Enable: true
  ClientOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: client}
  PeerOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: peer}
  AdminOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: admin}
  OrdererOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: orderer}
`

type options struct {
	folder, agentNamespace, user string
}

// Command is `kubectl hanse env`.
func Command(flags *access.Flags) *cobra.Command {
	o := options{}
	cmd := &cobra.Command{
		Use:   "env CONSORTIUM --out FOLDER",
		Short: "Write this organization's identity to a folder, and print the environment for Fabric's peer command",
		Long: `Writes the MSP folder of one of this organization's identities, private key included, to --out (mode 0700),
and prints the environment with which Fabric's own "peer" command uses it:

  eval "$(kubectl hanse env trade --out ./org1)"
  peer channel getinfo -c settlement

The addresses are the nodes' names in the cluster: run "peer" where these resolve, such as in a pod.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster, err := flags.Open()
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), cluster.Client, args[0], cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&o.folder, "out", "", "folder to write to; it must not exist or be empty")
	cmd.Flags().StringVar(&o.user, "user", "admin", "which identity: admin or user")
	cmd.Flags().StringVar(&o.agentNamespace, "agent-namespace", "hanse-system", "namespace of the member agent")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

func (o options) run(ctx context.Context, objects client.Client, consortium string, out io.Writer) error {
	if o.user != "admin" && o.user != "user" {
		return fmt.Errorf("--user %q is neither admin nor user", o.user)
	}
	var plan v1alpha1.MemberPlan
	if err := objects.Get(ctx, types.NamespacedName{Namespace: o.agentNamespace, Name: consortium}, &plan); err != nil {
		if apierrors.IsNotFound(err) {
			return fmt.Errorf("this cluster has no plan for consortium %s: run this in a member's cluster, not on the host", consortium)
		}
		return fmt.Errorf("read the plan of %s: %w", consortium, err)
	}
	var identity, tls corev1.Secret
	for name, secret := range map[string]*corev1.Secret{
		o.user + "-" + plan.Spec.Member: &identity, "admin-" + plan.Spec.Member + "-tls": &tls,
	} {
		if err := objects.Get(ctx, types.NamespacedName{Namespace: plan.Spec.Namespace, Name: name}, secret); err != nil {
			return fmt.Errorf("read the identity %s in %s: %w", name, plan.Spec.Namespace, err)
		}
	}
	folder, err := filepath.Abs(o.folder)
	if err != nil {
		return err
	}
	if err := write(folder, files(identity.Data, tls.Data)); err != nil {
		return err
	}
	_, err = io.WriteString(out, exports(plan.Spec, folder))
	return err
}

// files lays out an MSP folder and the TLS files. Pure.
func files(identity, tls map[string][]byte) map[string][]byte {
	return map[string][]byte{
		"msp/config.yaml":        []byte(nodeOUs),
		"msp/cacerts/ca.pem":     identity["ca.crt"],
		"msp/signcerts/cert.pem": identity["tls.crt"],
		"msp/keystore/key.pem":   identity["tls.key"],
		"tls/ca.pem":             tls["ca.crt"],
		"tls/client.pem":         tls["tls.crt"],
		"tls/client.key":         tls["tls.key"],
	}
}

func write(folder string, files map[string][]byte) error {
	if entries, err := os.ReadDir(folder); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: give --out a new folder", folder)
	}
	for name, data := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// exports prints shell assignments for Fabric's peer command. Pure.
func exports(plan v1alpha1.MemberPlanSpec, folder string) string {
	values := map[string]string{
		"CORE_PEER_LOCALMSPID":        v1alpha1.MSPID(plan.Member),
		"CORE_PEER_MSPCONFIGPATH":     filepath.Join(folder, "msp"),
		"CORE_PEER_TLS_ENABLED":       "true",
		"CORE_PEER_TLS_ROOTCERT_FILE": filepath.Join(folder, "tls/ca.pem"),
		"ORDERER_CA":                  filepath.Join(folder, "tls/ca.pem"),
		"OSN_TLS_CA_ROOT_CERT":        filepath.Join(folder, "tls/ca.pem"),
		"OSN_TLS_CLIENT_CERT":         filepath.Join(folder, "tls/client.pem"),
		"OSN_TLS_CLIENT_KEY":          filepath.Join(folder, "tls/client.key"),
	}
	for _, node := range slices.Backward(plan.Nodes) {
		host := v1alpha1.NodeHost(node.Name, plan.Consortium)
		if node.Role == v1alpha1.RolePeer {
			values["CORE_PEER_ADDRESS"] = fmt.Sprintf("%s:%d", host, v1alpha1.PortPeer)
		} else {
			values["ORDERER_ADDRESS"] = fmt.Sprintf("%s:%d", host, v1alpha1.PortOrderer)
		}
	}
	var lines []string
	for name, value := range values {
		lines = append(lines, fmt.Sprintf("export %s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
