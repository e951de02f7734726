package invite

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hanse-io/hanse/kubectl-hanse/kube"
)

// address fills in the address that the organization is to use where none was given, if it can be of use to it.
func (o *options) address(ctx context.Context, cluster *kube.Cluster) error {
	if o.server != "" {
		return nil // a person's word counts, even for a test on one machine
	}
	var service corev1.Service
	var services []string
	// Without the right to read it, or without such a Service, its names and the other rules are left.
	if err := cluster.Client.Get(ctx, types.NamespacedName{Namespace: "default", Name: "kubernetes"}, &service); err == nil {
		services = service.Spec.ClusterIPs
	}
	if why := unreachable(cluster.Config.Host, services); why != "" {
		return fmt.Errorf("the kubeconfig has %s, %s: give --host-server the https URL at which the organization reaches this host's API server, such as https://203.0.113.10:6443", cluster.Config.Host, why)
	}
	o.server = cluster.Config.Host
	return nil
}

// unreachable says why an address means nothing outside of this machine or this cluster; empty where it may. services
// are the addresses of the cluster's own Service for its API server. Pure.
func unreachable(server string, services []string) string {
	parsed, err := url.Parse(server)
	if err != nil {
		return ""
	}
	host := strings.TrimSuffix(strings.ToLower(parsed.Hostname()), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return "which leads to whatever machine it is used on"
	}
	for _, suffix := range []string{".svc", ".cluster.local", ".internal"} {
		if strings.HasSuffix(host, suffix) {
			return "a name that is known inside of one network or machine only"
		}
	}
	if slices.Contains(services, host) || host == "kubernetes" || host == "kubernetes.default" {
		return "the address of a Service, which is known inside of this cluster only"
	}
	ip := net.ParseIP(host)
	switch {
	case ip == nil:
		return ""
	case ip.IsLoopback() || ip.IsUnspecified():
		return "which leads to whatever machine it is used on"
	case ip.IsLinkLocalUnicast():
		return "an address that is known on one network only"
	}
	return ""
}
