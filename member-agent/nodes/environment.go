package nodes

import (
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// environment reads the Secrets that a contract's environment names. A Secret may be used only by the contract that the
// organization has labelled it for, so that a plan cannot read a node's key or another contract's Secret. versions
// changes when one of the Secrets does, so that the contract is restarted.
func environment(ctx context.Context, reader client.Reader, namespace string, w ledger.Workload) (versions map[string]string, d Diagnosis) {
	if w.Contract == nil {
		return nil, Diagnosis{}
	}
	for _, v := range w.Contract.Env {
		if v.SecretKeyRef == nil {
			continue
		}
		var secret corev1.Secret
		err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: v.SecretKeyRef.Name}, &secret)
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, Diagnosis{v1alpha1.ReasonFailed, fmt.Sprintf("read Secret %s for %s: %v", v.SecretKeyRef.Name, v.Name, err)}
		}
		if d := diagnoseSecret(w.Contract, v, &secret, err == nil, namespace); d.Reason != "" {
			return nil, d
		}
		if versions == nil {
			versions = map[string]string{}
		}
		// Not a hash of its content: a short value can be guessed from it.
		versions[secretVersion+secret.Name] = string(secret.UID) + "/" + secret.ResourceVersion
	}
	return versions, Diagnosis{}
}

// secretVersion is the prefix of the versions of Secrets among the digests of certificates.
const secretVersion = "env/"

// diagnoseSecret says whether a contract may use a Secret, and by which command it may.
func diagnoseSecret(c *v1alpha1.PlanContract, v v1alpha1.ContractEnvVar, secret *corev1.Secret, found bool, namespace string) Diagnosis {
	name, key, label := v.SecretKeyRef.Name, v.SecretKeyRef.Key, c.Channel+"."+c.Name
	switch {
	case !found:
		return Diagnosis{v1alpha1.ReasonSecretMissing, fmt.Sprintf(
			"its variable %s is in Secret %s, which does not exist: kubectl -n %s create secret generic %s --from-literal=%s=VALUE, then kubectl -n %s label secret %s %s=%s",
			v.Name, name, namespace, name, key, namespace, name, v1alpha1.LabelContractEnv, label)}
	case secret.Labels[v1alpha1.LabelContractEnv] != label || secret.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedBy:
		return Diagnosis{v1alpha1.ReasonSecretMissing, fmt.Sprintf(
			"its variable %s is in Secret %s, which is not labelled for this contract; if it may use it: kubectl -n %s label secret %s %s=%s",
			v.Name, name, namespace, name, v1alpha1.LabelContractEnv, label)}
	case secret.Data[key] == nil:
		return Diagnosis{v1alpha1.ReasonSecretMissing, fmt.Sprintf(
			"its variable %s is the key %s of Secret %s, which has no such key: add it with kubectl -n %s edit secret %s", v.Name, key, name, namespace, name)}
	}
	return Diagnosis{}
}

func mergeMaps(a, b map[string]string) map[string]string {
	if len(b) == 0 {
		return a
	}
	all := maps.Clone(a)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, b)
	return all
}
