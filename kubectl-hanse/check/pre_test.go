package check

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/charts"
)

var errForbidden = errors.New("forbidden")

// expect compares a result with a level and words; whatever is wrong has a remedy.
func expect(t *testing.T, r Result, level Level, says string) {
	t.Helper()
	if r.Level != level || !strings.Contains(r.Message+" "+r.Remedy, says) {
		t.Errorf("got %+v, want %s with %q", r, level, says)
	}
	if (r.Level == Failed || r.Level == Warning) && r.Remedy == "" {
		t.Errorf("%+v does not say how to mend it", r)
	}
}

func values[T any](values ...T) fact[[]T] { return fact[[]T]{value: values} }

func TestKubernetesVersion(t *testing.T) {
	for chart, least := range map[string]string{charts.Federation: "1.34", charts.MemberAgent: "1.30"} {
		described, err := charts.Read(chart)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range []struct {
			why, version string
			level        Level
		}{
			{"the least", "v" + least + ".0", OK},
			{"a provider's own suffix", "v1.37.2-gke.1200", OK},
			{"a minor version with more digits than it looks", "v1.100.0", OK},
			{"one before", "v1.29.9", Failed},
			{"a pre-release of another product", "latest", Warning},
		} {
			t.Run(chart+": "+row.why, func(t *testing.T) {
				says := ""
				if row.level == Failed {
					says = least
				}
				expect(t, kubernetesVersion(chart, described.KubeVersion, fact[string]{value: row.version}), row.level, says)
			})
		}
	}
	expect(t, kubernetesVersion("x", ">=1.30.0-0", fact[string]{err: errors.New("connection refused")}), Failed, "current-context")
}

func TestCertManager(t *testing.T) {
	kinds := values("certificates", "issuers")
	controller := appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "cm", Name: "cert-manager"}}
	ready := controller
	ready.Status.AvailableReplicas = 1
	for _, row := range []struct {
		why         string
		kinds       fact[[]string]
		controllers fact[[]appsv1.Deployment]
		level       Level
		says        string
	}{
		{"all of it", kinds, values(ready), OK, "cm/cert-manager"},
		{"nothing", values[string](), values[appsv1.Deployment](), Failed, "helm install cert-manager"},
		{"half of its CRDs", values("certificates"), values(ready), Failed, "issuers"},
		{"a controller that does not run", kinds, values(controller), Failed, "kubectl -n cm describe deployment cert-manager"},
		{"one of two that run", kinds, values(controller, ready), OK, ""},
		{"a controller under another name", kinds, values[appsv1.Deployment](), Warning, "cannot be told"},
		{"no right to see it", kinds, fact[[]appsv1.Deployment]{err: errForbidden}, Warning, "not checked"},
	} {
		t.Run(row.why, func(t *testing.T) { expect(t, certManager(row.kinds, row.controllers), row.level, row.says) })
	}
}

func TestStorageClass(t *testing.T) {
	plain := storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "slow"}}
	standard := storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "fast", Annotations: map[string]string{defaultClass: "true"}}}
	for _, row := range []struct {
		why, name string
		classes   fact[[]storagev1.StorageClass]
		level     Level
		says      string
	}{
		{"a default one", "", values(plain, standard), OK, "fast"},
		{"none is the default", "", values(plain), Failed, "kubectl annotate storageclass"},
		{"none at all", "", values[storagev1.StorageClass](), Failed, "there is none"},
		{"the one that is named", "slow", values(plain), OK, "slow"},
		{"one that is not there", "gone", values(plain, standard), Failed, "there is slow, fast"},
		{"no right to see them", "", fact[[]storagev1.StorageClass]{err: errForbidden}, Warning, "not checked"},
	} {
		t.Run(row.why, func(t *testing.T) { expect(t, storageClass(row.name, row.classes), row.level, row.says) })
	}
}

func TestRights(t *testing.T) {
	yes, no := right{what: "create deployments", allowed: true}, right{what: "create clusterroles"}
	for _, row := range []struct {
		why    string
		all    []right
		grants right
		level  Level
		says   string
	}{
		{"an administrator", []right{yes}, yes, OK, "1 rights"},
		{"somebody who may not grant more than they have", []right{yes}, no, Warning, "administrator"},
		{"a right that is missing is named", []right{yes, no}, yes, Failed, "create clusterroles"},
		{"an API server that does not say", []right{{what: "x", err: errForbidden}}, yes, Warning, "not checked"},
	} {
		t.Run(row.why, func(t *testing.T) { expect(t, rights(row.all, row.grants), row.level, row.says) })
	}
}

func TestSigner(t *testing.T) {
	request := func(certificate string, conditions ...certificatesv1.CertificateSigningRequestCondition) certificatesv1.CertificateSigningRequest {
		return certificatesv1.CertificateSigningRequest{
			ObjectMeta: metav1.ObjectMeta{Name: "hanse-member-org1-0"}, Spec: certificatesv1.CertificateSigningRequestSpec{SignerName: signerName},
			Status: certificatesv1.CertificateSigningRequestStatus{Certificate: []byte(certificate), Conditions: conditions},
		}
	}
	refused := certificatesv1.CertificateSigningRequestCondition{Type: certificatesv1.CertificateFailed, Message: "no"}
	plain, eks := fact[string]{value: "v1.34.1"}, fact[string]{value: "v1.34.1-eks-0a1b2c3"}
	for _, row := range []struct {
		why      string
		server   fact[string]
		requests fact[[]certificatesv1.CertificateSigningRequest]
		level    Level
		says     string
	}{
		{"it has signed", plain, values(request("PEM")), OK, "hanse-member-org1-0"},
		{"a provider that does not", eks, values[certificatesv1.CertificateSigningRequest](), Failed, "EKS"},
		{"what has been seen counts more than the provider's name", eks, values(request("PEM")), OK, ""},
		{"it has failed", plain, values(request("", refused)), Failed, "kubectl describe csr"},
		{"nothing tells", plain, values(request("")), Skipped, "kubectl get csr"},
		{"no right to see requests", plain, fact[[]certificatesv1.CertificateSigningRequest]{err: errForbidden}, Warning, "not checked"},
	} {
		t.Run(row.why, func(t *testing.T) { expect(t, signer(row.server, row.requests), row.level, row.says) })
	}
}

func TestOtherFactsBefore(t *testing.T) {
	ahead := func(d time.Duration) Result { return clock("the host", fact[time.Duration]{value: d}) }
	for _, row := range []struct {
		why   string
		got   Result
		level Level
		says  string
	}{
		{"clocks agree", ahead(2 * time.Second), OK, ""},
		{"a clock is a bit ahead", ahead(20 * time.Second), Warning, "20s ahead of"},
		{"a clock is behind", ahead(-2 * time.Minute), Failed, "2m0s behind"},
		{"no clock", clock("x", fact[time.Duration]{err: errForbidden}), Warning, "not checked"},
		{"policies are served", admissionPolicies(values("validatingadmissionpolicies")), OK, ""},
		{"policies are switched off", admissionPolicies(values[string]()), Failed, "admissionPolicy=false"},
		{"a network plugin that enforces", enforcement(values("kube-proxy", "calico-node")), OK, "calico-node"},
		{"one by another name of the same family", enforcement(values("cilium-envoy")), OK, "cilium"},
		{"none that is known", enforcement(values("kube-flannel-ds")), Warning, "cannot be told"},
		{"the host was not named", hostReach("", fact[string]{}), Skipped, "--host-server"},
		{"the host does not answer", hostReach("https://192.0.2.1", fact[string]{err: errors.New("connection refused")}), Failed, "firewalls"},
	} {
		t.Run(row.why, func(t *testing.T) { expect(t, row.got, row.level, row.says) })
	}
}

// TestReach asks real servers over TLS, whose clocks are theirs.
func TestReach(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	dial := func(roots *x509.CertPool, name string) (fact[string], fact[time.Duration]) {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS12}}}
		defer client.CloseIdleConnections()
		return get(t.Context(), client, at)
	}
	reached, ahead := dial(roots, "")
	expect(t, hostReach(server.URL, reached), OK, "401")
	expect(t, clock("the host", ahead), Failed, "1h0m0s behind")
	reached, _ = dial(x509.NewCertPool(), "")
	expect(t, hostReach(server.URL, reached), Failed, "--host-ca")
	reached, _ = dial(roots, "elsewhere.test")
	expect(t, hostReach(server.URL, reached), Failed, "a name that is in the host's certificate")
	server.Close()
	reached, _ = dial(roots, "")
	expect(t, hostReach(server.URL, reached), Failed, "open the way")
}
