// Package networks finds out which addresses are the own cluster's: those of its Services, pods and nodes. Whoever dials
// addresses that others name leaves these out. It must not know what is dialed, nor by whom.
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
	// refresh is how long what was found holds.
	refresh = 5 * time.Minute
	// page is how many nodes are read at once.
	page = 500
)

// Own are the own cluster's networks.
type Own struct {
	// CIDRs, sorted.
	CIDRs []string
	// Problems say what could not be found out, and what to do instead; sorted.
	Problems []string
}

// Finder asks the API server, and remembers for a while what it said.
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

// Find returns the networks. What cannot be asked for, because the cluster does not serve it or the agent has no right to
// it, is a problem; that the API server is away is an error, unless there is an earlier answer.
func (f *Finder) Find(ctx context.Context) (Own, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.found != nil && f.Now().Sub(f.at) < refresh {
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
		return Own{}, fmt.Errorf("find out this cluster's own networks: %w", err)
	}
	own := s.result()
	f.found, f.at = &own, f.Now()
	return own, nil
}

func (f *Finder) services(ctx context.Context, s *search) error {
	var all networkingv1.ServiceCIDRList
	if err := f.Client.List(ctx, &all); err != nil {
		return s.excuse(err, "the networks of Services are not known (Kubernetes before 1.33 does not tell): name them in gateway.lines.deny")
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
		var some corev1.NodeList
		if err := f.Client.List(ctx, &some, client.Limit(page), client.Continue(next)); err != nil {
			return s.excuse(err, "the addresses of nodes and pods are not known: name their networks in gateway.lines.deny")
		}
		for i := range some.Items {
			node := &some.Items[i]
			for _, cidr := range node.Spec.PodCIDRs {
				pods = s.network(cidr) || pods
			}
			for _, a := range node.Status.Addresses {
				s.address(a.Address)
			}
		}
		if next = some.Continue; next == "" {
			break
		}
	}
	if !pods {
		s.problems = append(s.problems, "the networks of pods are not known, because this cluster's nodes name none: name them in gateway.lines.deny")
	}
	return nil
}

// search is what is found on the way.
type search struct {
	cidrs    map[netip.Prefix]bool
	problems []string
}

// excuse makes a problem of an error that will be the same the next time.
func (s *search) excuse(err error, problem string) error {
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

// address takes an IP address, and passes over host names.
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
