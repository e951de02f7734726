package check

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/charts"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
)

// collector reads facts. What cannot be read is noted, and the rest goes on.
type collector struct {
	*kube.Cluster
	facts Facts
}

// collect reads what is installed. It is an error only if nothing is, or the cluster does not answer.
func collect(ctx context.Context, cluster *kube.Cluster, namespace, version string) (Facts, error) {
	c := collector{cluster, Facts{Now: time.Now(), Plugin: version, Namespace: namespace, Unread: map[string]error{}}}
	if _, err := cluster.Clientset.Discovery().ServerVersion(); err != nil {
		return c.facts, kube.Explain("ask the API server for its version", err)
	}
	c.facts.Host = kube.IsHost(cluster.Client)
	if !c.facts.Host && !kube.IsMembers(cluster.Client) {
		return c.facts, fmt.Errorf("this cluster does not serve %s's kinds: Hanse is not installed in it. Choose another context (--context), or look whether it can be installed: kubectl hanse check --pre", v1alpha1.GroupName)
	}
	spaces, err := cluster.Clientset.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	c.note(namespaces, err)
	if err == nil {
		c.facts.Namespaces = spaces.Items
	}
	c.workloads(ctx, namespace)
	c.facts.Member = !c.facts.Host || slices.ContainsFunc(c.facts.Deployments, func(d appsv1.Deployment) bool { return d.Namespace == namespace && d.Name == "member-agent" })
	if c.facts.Member {
		c.member(ctx)
	}
	c.declared(ctx)
	c.crds(ctx)
	return c.facts, nil
}

// note remembers why something could not be read.
func (c *collector) note(what string, err error) {
	if err != nil && c.facts.Unread[what] == nil {
		c.facts.Unread[what] = err
	}
}

// workloads reads what runs in a namespace.
func (c *collector) workloads(ctx context.Context, namespace string) {
	all := metav1.ListOptions{}
	if found, err := c.Clientset.AppsV1().Deployments(namespace).List(ctx, all); err != nil {
		c.note(deployments, err)
	} else {
		c.facts.Deployments = append(c.facts.Deployments, found.Items...)
	}
	if found, err := c.Clientset.CoreV1().Pods(namespace).List(ctx, all); err != nil {
		c.note(pods, err)
	} else {
		c.facts.Pods = append(c.facts.Pods, found.Items...)
	}
}

// member reads what only an organization's own cluster has.
func (c *collector) member(ctx context.Context) {
	all := metav1.ListOptions{}
	c.certificates(ctx, c.facts.Namespace)
	for _, n := range c.facts.Namespaces {
		if n.Labels[v1alpha1.LabelConsortium] == "" || n.Labels[v1alpha1.LabelManagedBy] != v1alpha1.ManagedBy {
			continue
		}
		c.workloads(ctx, n.Name)
		c.certificates(ctx, n.Name)
		if found, err := c.Clientset.AppsV1().StatefulSets(n.Name).List(ctx, all); err != nil {
			c.note(statefulSets, err)
		} else {
			c.facts.StatefulSets = append(c.facts.StatefulSets, found.Items...)
		}
		if found, err := c.Clientset.CoreV1().PersistentVolumeClaims(n.Name).List(ctx, all); err != nil {
			c.note(volumes, err)
		} else {
			c.facts.Volumes = append(c.facts.Volumes, found.Items...)
		}
		if found, err := c.Clientset.NetworkingV1().NetworkPolicies(n.Name).List(ctx, all); err != nil {
			c.note(networkPolicies, err)
		} else {
			c.facts.NetworkPolicies = append(c.facts.NetworkPolicies, found.Items...)
		}
	}
	if err := c.facts.Unread[namespaces]; err != nil { // then nobody knows which there are
		for _, what := range []string{statefulSets, volumes, networkPolicies, certificates} {
			c.note(what, err)
		}
	}
	c.credential(ctx)
}

// credential reads when the agent's certificate ends, and nothing else of its Secret.
func (c *collector) credential(ctx context.Context) {
	secret, err := c.Clientset.CoreV1().Secrets(c.facts.Namespace).Get(ctx, "hanse-host-credential", metav1.GetOptions{})
	if err != nil {
		if !apierrors.IsNotFound(err) {
			c.note(credential, err)
		}
		return
	}
	block, _ := pem.Decode(secret.Data[corev1.TLSCertKey])
	if block == nil {
		return
	}
	if leaf, err := x509.ParseCertificate(block.Bytes); err == nil {
		c.facts.Credential = &leaf.NotAfter
	}
}

func (c *collector) certificates(ctx context.Context, namespace string) {
	found := &unstructured.UnstructuredList{}
	found.SetGroupVersionKind(schema.GroupVersionKind{Group: "cert-manager.io", Version: "v1", Kind: "CertificateList"})
	if err := c.Client.List(ctx, found, client.InNamespace(namespace)); err != nil {
		c.note(certificates, err)
		return
	}
	for _, item := range found.Items {
		c.facts.Certificates = append(c.facts.Certificates, certificate(item))
	}
}

// certificate is what counts of one of cert-manager's Certificates. Pure.
func certificate(item unstructured.Unstructured) Certificate {
	read := Certificate{Namespace: item.GetNamespace(), Name: item.GetName(), Message: "not issued yet"}
	at := func(field string) time.Time {
		text, _, _ := unstructured.NestedString(item.Object, "status", field)
		parsed, _ := time.Parse(time.RFC3339, text) // the zero time if there is none
		return parsed
	}
	read.NotAfter, read.RenewsAt = at("notAfter"), at("renewalTime")
	conditions, _, _ := unstructured.NestedSlice(item.Object, "status", "conditions")
	for _, condition := range conditions {
		if c, ok := condition.(map[string]any); ok && c["type"] == "Ready" {
			read.Ready = c["status"] == "True"
			read.Message, _ = c["message"].(string)
		}
	}
	return read
}

// declared reads Hanse's own objects, of which a host has more kinds.
func (c *collector) declared(ctx context.Context) {
	c.note(plans, listed(ctx, c.Client, &v1alpha1.MemberPlanList{}, func(l *v1alpha1.MemberPlanList) { c.facts.Plans = l.Items }))
	if !c.facts.Host {
		return
	}
	c.note(members, listed(ctx, c.Client, &v1alpha1.MemberList{}, func(l *v1alpha1.MemberList) { c.facts.Members = l.Items }))
	c.note(lines, listed(ctx, c.Client, &v1alpha1.LineList{}, func(l *v1alpha1.LineList) { c.facts.Lines = l.Items }))
	c.note(consortia, listed(ctx, c.Client, &v1alpha1.ConsortiumList{}, func(l *v1alpha1.ConsortiumList) { c.facts.Consortia = l.Items }))
	c.note(channels, listed(ctx, c.Client, &v1alpha1.ChannelList{}, func(l *v1alpha1.ChannelList) { c.facts.Channels = l.Items }))
	c.note(contracts, listed(ctx, c.Client, &v1alpha1.ContractList{}, func(l *v1alpha1.ContractList) { c.facts.Contracts = l.Items }))
	for _, m := range c.facts.Members {
		lease, err := c.Clientset.CoordinationV1().Leases(v1alpha1.MemberNamespace(m.Name)).Get(ctx, v1alpha1.AgentLease, metav1.GetOptions{})
		if err == nil {
			c.facts.Leases = append(c.facts.Leases, *lease)
		} else if !apierrors.IsNotFound(err) {
			c.note(leases, err)
		}
	}
}

func listed[T client.ObjectList](ctx context.Context, from client.Client, into T, keep func(T)) error {
	err := from.List(ctx, into)
	if err == nil {
		keep(into)
	}
	return err
}

// crds reads Hanse's CRDs, and compares them with those of this version.
func (c *collector) crds(ctx context.Context) {
	chart := charts.MemberAgent
	if c.facts.Host {
		chart = charts.Federation
	}
	expected, err := charts.CRDs(chart)
	c.note(crds, err)
	var names []string
	for name := range expected {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		found := &unstructured.Unstructured{}
		found.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
		err := c.Client.Get(ctx, types.NamespacedName{Name: name}, found)
		if err != nil && !apierrors.IsNotFound(err) {
			c.note(crds, err)
			return
		}
		c.facts.CRDs = append(c.facts.CRDs, customResource(name, found.Object, expected[name], err == nil))
	}
}
