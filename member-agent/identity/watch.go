package identity

import (
	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/member-agent/namespacecache"
)

// Watched is how Certificates are watched in a consortium's namespace: for why one is not issued, and whether one was
// deleted or changed. Only their state is kept.
func Watched(selector labels.Selector) namespacecache.Kind {
	return namespacecache.Kind{Object: &certmanager.Certificate{}, Resource: "certificates", Labels: selector, Keep: stateOnly}
}

// stateOnly drops everything of a Certificate but its name, labels, version and conditions.
func stateOnly(object client.Object) {
	if cert, ok := object.(*certmanager.Certificate); ok {
		cert.Spec = certmanager.CertificateSpec{}
		cert.Status = certmanager.CertificateStatus{Conditions: cert.Status.Conditions}
		cert.Annotations = nil
	}
}

// IsProgress is whether an event is that of a Certificate on its way, which changes several times until its Secret is there.
// Such events need no turn: a turn finds the reason if one lasts.
func IsProgress(object client.Object, gone bool) bool {
	_, ok := object.(*certmanager.Certificate)
	return ok && !gone
}
