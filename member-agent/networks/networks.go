// Package networks finds the own cluster's networks: those of its Services, pods and nodes, which must not be dialed when
// others name them. It must not know what is dialed, nor by whom.
package networks

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// cacheTTL is how long a result is cached.
	cacheTTL = 5 * time.Minute
	// pageSize is the page size of the list of nodes.
	pageSize = 500
)

// Own are the own cluster's networks.
type Own struct {
	// CIDRs, sorted.
	CIDRs []string
	// Problems say which networks are unknown, and how to configure them; sorted.
	Problems []string
}

// Finder reads the networks from the API server and caches them.
type Finder struct {
	// Client lists nodes and ServiceCIDRs.
	Client client.Reader
	// APIServer is the API server's address as pods have it (KUBERNETES_SERVICE_HOST); empty outside a cluster.
	APIServer string
	Now       func() time.Time

	mu    sync.Mutex
	found *Own
	at    time.Time
}

// Find returns the networks. What cannot be read, because the cluster does not serve it or the agent has no right to it,
// is in Problems; an unreachable API server is an error, unless there is a cached result.
func (f *Finder) Find(ctx context.Context) (Own, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.found != nil && f.Now().Sub(f.at) < cacheTTL {
		return *f.found, nil
	}
	s := search{cidrs: map[netip.Prefix]bool{}}
	s.address(f.APIServer)
	err := f.services(ctx, &s)
	if err == nil {
		err = f.nodes(ctx, &s)
	}
	if err != nil {
		if f.found != nil {
			return *f.found, nil
		}
		return Own{}, fmt.Errorf("find this cluster's own networks: %w", err)
	}
	own := s.result()
	f.found, f.at = &own, f.Now()
	return own, nil
}

func (f *Finder) services(ctx context.Context, s *search) error {
	var all networkingv1.ServiceCIDRList
	if err := f.Client.List(ctx, &all); err != nil {
		return s.toProblem(err, "the networks of Services are not known (Kubernetes before 1.33 has no ServiceCIDR): name them in gateway.lines.deny")
	}
	for _, c := range all.Items {
		for _, cidr := range c.Spec.CIDRs {
			s.network(cidr)
		}
	}
	return nil
}

func (f *Finder) nodes(ctx context.Context, s *search) error {
	pods := false
	for next := ""; ; {
		var page corev1.NodeList
		if err := f.Client.List(ctx, &page, client.Limit(pageSize), client.Continue(next)); err != nil {
			return s.toProblem(err, "the addresses of nodes and pods are not known: name their networks in gateway.lines.deny")
		}
		for i := range page.Items {
			node := &page.Items[i]
			for _, cidr := range node.Spec.PodCIDRs {
				pods = s.network(cidr) || pods
			}
			for _, a := range node.Status.Addresses {
				s.address(a.Address)
			}
		}
		if next = page.Continue; next == "" {
			break
		}
	}
	if !pods {
		s.problems = append(s.problems, "the networks of pods are not known, because this cluster's nodes name none: name them in gateway.lines.deny")
	}
	return nil
}

// search collects the results.
type search struct {
	cidrs    map[netip.Prefix]bool
	problems []string
}

// toProblem turns a permanent error into a problem.
func (s *search) toProblem(err error, problem string) error {
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		s.problems = append(s.problems, problem)
		return nil
	}
	return err
}

func (s *search) network(cidr string) bool {
	p, err := netip.ParsePrefix(cidr)
	if err == nil {
		s.cidrs[p.Masked()] = true
	}
	return err == nil
}

// address adds an IP address, and ignores host names.
func (s *search) address(text string) {
	if ip, err := netip.ParseAddr(text); err == nil {
		ip = ip.Unmap().WithZone("")
		s.cidrs[netip.PrefixFrom(ip, ip.BitLen())] = true
	}
}

func (s *search) result() Own {
	var own Own
	for p := range s.cidrs {
		own.CIDRs = append(own.CIDRs, p.String())
	}
	slices.Sort(own.CIDRs)
	slices.Sort(s.problems)
	own.Problems = s.problems
	return own
}
