package reconcile

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/scrape"
)

// storedObjects is a cache that holds mirrors as the API server would send them, and Secrets by namespace.
type storedObjects struct {
	client.Reader
	plans   string
	secrets map[string][]corev1.Secret
}

func (s *storedObjects) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	switch into := list.(type) {
	case *corev1.SecretList:
		into.Items = s.secrets[(&client.ListOptions{}).ApplyOptions(options).Namespace]
	case *v1alpha1.MemberPlanList:
		if s.plans == "" {
			return errors.New("the cache has not been started")
		}
		return json.Unmarshal([]byte(s.plans), list)
	}
	return nil
}

// certified is a Secret with a certificate that ends then.
func certified(t *testing.T, name string, end time.Time) corev1.Secret {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: end.Add(-time.Hour), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Data:       map[string][]byte{corev1.TLSCertKey: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})},
	}
}

const mirror = `{"metadata":{"name":"trade"},"status":{
	"nodes":[{"name":"peer0-org1","role":"Peer","ready":true},{"name":"orderer0-org1","role":"Orderer","ready":false}],
	"channels":[{"name":"goods","height":12}],
	"contracts":[{"name":"notary","channel":"goods","serving":true},{"name":"notary","channel":"goods"}]}}`

func TestCollect(t *testing.T) {
	end := time.Unix(1800000000, 0)
	secrets := map[string][]corev1.Secret{
		"hanse-system": {certified(t, "hanse-agent", end), {ObjectMeta: metav1.ObjectMeta{Name: "hanse-bootstrap"}}},
		"hanse-trade":  {certified(t, "peer0-org1-tls", end), {ObjectMeta: metav1.ObjectMeta{Name: "broken"}, Data: map[string][]byte{corev1.TLSCertKey: []byte("no PEM")}}},
	}
	cache, opened, registry := &storedObjects{}, false, prometheus.NewPedanticRegistry()
	registry.MustRegister(&collector{plans: cache, namespace: "hanse-system", opened: func(string) client.Reader {
		if !opened {
			return nil
		}
		return cache
	}})
	own := `hanse_certificate_not_after_timestamp_seconds{certificate="hanse-agent",consortium=""} 1.8e+09`
	statuses := []string{
		`hanse_contract_serving{channel="goods",consortium="trade",contract="notary"} 1`,
		`hanse_ledger_height_blocks{channel="goods",consortium="trade"} 12`,
		`hanse_node_ready{consortium="trade",node="orderer0-org1",role="Orderer"} 0`,
		`hanse_node_ready{consortium="trade",node="peer0-org1",role="Peer"} 1`,
	}
	for _, c := range []struct {
		why, plans string
		opened     bool
		want       []string
	}{
		{"a cache that is not synced is not shown as empty", ``, false, []string{own}},
		{"a plan whose namespace is not open yet", `{"items":[` + mirror + `]}`, false, append([]string{own}, statuses...)},
		{"a plan with its certificates", `{"items":[` + mirror + `]}`, true, append([]string{
			own, `hanse_certificate_not_after_timestamp_seconds{certificate="peer0-org1-tls",consortium="trade"} 1.8e+09`,
		}, statuses...)},
		{"series end with the plan", `{"items":[]}`, true, []string{own}},
	} {
		cache.plans, cache.secrets, opened = c.plans, secrets, c.opened
		if got := scrape.Hanse(t, registry); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s", c.why, strings.Join(got, "\n"))
		}
	}
}
