package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/hanse-io/hanse/charts"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
)

// before checks a cluster in which Hanse is to be installed. progress is told of each result.
func (o options) before(ctx context.Context, cluster *kube.Cluster, progress func(Result)) (Report, error) {
	role, chart := o.role, charts.MemberAgent
	if role == "" {
		role = RoleMember
		if kube.IsHost(cluster.Client) {
			role = RoleHost
		}
	}
	if role == RoleHost {
		chart = charts.Federation
	}
	described, err := charts.Read(chart)
	if err != nil {
		return Report{}, err
	}
	var results []Result
	add := func(name string, r Result) {
		r.Check = name
		results = append(results, r)
		progress(r)
	}
	server := serverVersion(cluster)
	add("Kubernetes version", kubernetesVersion(chart, described.KubeVersion, server))
	if server.err != nil { // nothing else would answer
		return NewReport(results), nil
	}
	add("clock", clock("the API server", apiClock(ctx, cluster.Config)))
	add("admission policies", admissionPolicies(served(cluster, "admissionregistration.k8s.io/v1")))
	all, grants := o.rights(ctx, cluster, chart)
	add("rights", rights(all, grants))
	if role == RoleHost {
		requests, err := cluster.Clientset.CertificatesV1().CertificateSigningRequests().List(ctx, metav1.ListOptions{})
		add("signer of credentials", signer(server, wrapped(err, func() []certificatesv1.CertificateSigningRequest { return requests.Items })))
		return NewReport(results), nil
	}
	o.memberBefore(ctx, cluster, add)
	return NewReport(results), nil
}

func (o options) memberBefore(ctx context.Context, cluster *kube.Cluster, add func(string, Result)) {
	controllers, err := cluster.Clientset.AppsV1().Deployments("").List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=cert-manager,app.kubernetes.io/component=controller"})
	add("cert-manager", certManager(served(cluster, "cert-manager.io/v1"), wrapped(err, func() []appsv1.Deployment { return controllers.Items })))
	classes, err := cluster.Clientset.StorageV1().StorageClasses().List(ctx, metav1.ListOptions{})
	add("StorageClass", storageClass(o.storageClass, wrapped(err, func() []storagev1.StorageClass { return classes.Items })))
	daemons, err := cluster.Clientset.AppsV1().DaemonSets("").List(ctx, metav1.ListOptions{})
	add("network policies", enforcement(wrapped(err, func() []string {
		var names []string
		for _, d := range daemons.Items {
			names = append(names, d.Name)
		}
		return names
	})))
	reached, ahead := known[string]{}, known[time.Duration]{}
	if o.hostServer != "" {
		reached, ahead = o.reachHost(ctx)
	}
	add("reach of the host", hostReach(o.hostServer, reached))
	if o.hostServer != "" && reached.err == nil {
		add("clock of the host", clock("the host's API server", ahead))
	}
}

func wrapped[T any](err error, value func() T) known[T] {
	if err != nil {
		return known[T]{err: err}
	}
	return known[T]{value: value()}
}

func serverVersion(cluster *kube.Cluster) known[string] {
	info, err := cluster.Clientset.Discovery().ServerVersion()
	if err != nil {
		return known[string]{err: err}
	}
	return known[string]{value: info.GitVersion}
}

// served are the resources of a group and version that the cluster serves; none if it does not know them.
func served(cluster *kube.Cluster, groupVersion string) known[[]string] {
	resources, err := cluster.Clientset.Discovery().ServerResourcesForGroupVersion(groupVersion)
	if apierrors.IsNotFound(err) {
		return known[[]string]{}
	}
	return wrapped(err, func() []string {
		var names []string
		for _, r := range resources.APIResources {
			names = append(names, r.Name)
		}
		return names
	})
}

// rights asks for each kind that a chart makes whether this person may create and change it, and whether they may grant what
// they do not have.
func (o options) rights(ctx context.Context, cluster *kube.Cluster, chart string) ([]right, right) {
	kinds, err := charts.Kinds(chart)
	if err != nil {
		return []right{{what: "read the chart", err: err}}, right{}
	}
	// Helm's own record of the release, the namespace that it makes, and the CRDs.
	kinds = append(kinds, schema.GroupVersionKind{Version: "v1", Kind: "Secret"}, schema.GroupVersionKind{Version: "v1", Kind: "Namespace"},
		schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	var all []right
	for _, kind := range kinds {
		mapping, err := cluster.Client.RESTMapper().RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			continue // a kind that is not served is another check's, or helm's own
		}
		namespace := ""
		if mapping.Scope.Name() == "namespace" {
			namespace = o.namespace
		}
		for _, verb := range []string{"create", "patch"} {
			all = append(all, may(ctx, cluster, namespace, verb, mapping.Resource.GroupResource()))
		}
	}
	return all, may(ctx, cluster, "", "escalate", schema.GroupResource{Group: "rbac.authorization.k8s.io", Resource: "clusterroles"})
}

// may asks whether this person may do something.
func may(ctx context.Context, cluster *kube.Cluster, namespace, verb string, resource schema.GroupResource) right {
	r := right{what: verb + " " + resource.String()}
	if namespace != "" {
		r.what += " in " + namespace
	}
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
		Namespace: namespace, Verb: verb, Group: resource.Group, Resource: resource.Resource,
	}}}
	answer, err := cluster.Clientset.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if r.err = err; err == nil {
		r.allowed = answer.Status.Allowed
	}
	return r
}

// apiClock is how far the API server's clock is ahead of this machine's.
func apiClock(ctx context.Context, config *rest.Config) known[time.Duration] {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return known[time.Duration]{err: err}
	}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return known[time.Duration]{err: err}
	}
	_, ahead := get(ctx, client, base.JoinPath("version"))
	return ahead
}

// reachHost asks the host's API server for its version, as nobody in particular: any answer will do, over TLS that is verified.
func (o options) reachHost(ctx context.Context) (known[string], known[time.Duration]) {
	fail := func(err error) (known[string], known[time.Duration]) {
		return known[string]{err: err}, known[time.Duration]{err: err}
	}
	server, err := url.Parse(o.hostServer)
	if err != nil || server.Scheme != "https" || server.Host == "" {
		return fail(fmt.Errorf("%q is no https URL", o.hostServer))
	}
	roots, err := x509.SystemCertPool()
	if o.hostCAFile != "" {
		roots, err = authorities(o.hostCAFile)
	}
	if err != nil {
		return fail(err)
	}
	client := &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	defer client.CloseIdleConnections()
	return get(ctx, client, server.JoinPath("version"))
}

func authorities(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in PEM", file)
	}
	return roots, nil
}

// get is the answer's status, and how far the server's clock is ahead. The header is in whole seconds, cut off.
func get(ctx context.Context, client *http.Client, from *url.URL) (known[string], known[time.Duration]) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from.String(), nil)
	if err != nil {
		return known[string]{err: err}, known[time.Duration]{err: err}
	}
	sent := time.Now()
	response, err := client.Do(request)
	if err != nil {
		if wrapped := (&url.Error{}); errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return known[string]{err: err}, known[time.Duration]{err: err}
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	middle := sent.Add(time.Since(sent) / 2)
	date, err := http.ParseTime(response.Header.Get("Date"))
	return known[string]{value: strings.ToLower(response.Status)}, known[time.Duration]{value: date.Add(500 * time.Millisecond).Sub(middle), err: err}
}
