package identity

import (
	"testing"

	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestStateOnly: what is kept of a Certificate says why it is not issued, and whether it was changed.
func TestStateOnly(t *testing.T) {
	cert := &certmanager.Certificate{
		ObjectMeta: metav1.ObjectMeta{Name: "peer0-org1", Generation: 3, Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"c": "d"}},
		Spec:       certmanager.CertificateSpec{SecretName: "peer0-org1"},
		Status: certmanager.CertificateStatus{Conditions: []certmanager.CertificateCondition{
			{Type: certmanager.CertificateConditionReady, Status: cmmeta.ConditionFalse, Message: "the issuer is missing"},
		}},
	}
	Watched(nil).Keep(cert)
	if got := notReadyReason(cert); got != "peer0-org1: the issuer is missing" {
		t.Errorf("reason %q", got)
	}
	if cert.Generation != 3 || cert.Labels["a"] != "b" || cert.Spec.SecretName != "" || cert.Annotations != nil {
		t.Errorf("kept: %+v", cert)
	}
}

func TestIsProgress(t *testing.T) {
	for _, row := range []struct {
		why    string
		object client.Object
		gone   bool
		want   bool
	}{
		{"a Certificate is on its way", &certmanager.Certificate{}, false, true},
		{"somebody has deleted one", &certmanager.Certificate{}, true, false},
		{"its Secret is there", &corev1.Secret{}, false, false},
	} {
		if got := IsProgress(row.object, row.gone); got != row.want {
			t.Errorf("%s: %t", row.why, got)
		}
	}
}
