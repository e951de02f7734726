package discovery

import (
	"crypto/x509"
	"fmt"

	"github.com/hanse-io/hanse/statement"
)

// rootCache has the parsed roots of all groups, most of which have the same members. It is not safe for concurrent use:
// groups are set one at a time.
type rootCache struct {
	used, before map[string][]*x509.Certificate // by PEM
}

func (c *rootCache) parse(rootPEM string) ([]*x509.Certificate, error) {
	roots := c.used[rootPEM]
	if roots == nil {
		roots = c.before[rootPEM]
	}
	if roots == nil {
		var err error
		if roots, err = statement.ParseRoot(rootPEM); err != nil {
			return nil, err
		}
	}
	if c.used == nil {
		c.used = map[string][]*x509.Certificate{}
	}
	c.used[rootPEM] = roots
	return roots, nil
}

// next drops what was not used since the last call.
func (c *rootCache) next() { c.used, c.before = nil, c.used }

// parseMembers are the roots by member.
func (c *rootCache) parseMembers(members []Peer) (map[string][]*x509.Certificate, error) {
	if len(members) > maxMembers {
		return nil, fmt.Errorf("%d members; the maximum is %d", len(members), maxMembers)
	}
	roots := make(map[string][]*x509.Certificate, len(members))
	for _, m := range members {
		if _, twice := roots[m.Name]; twice || m.Name == "" {
			return nil, fmt.Errorf("member %q is empty or a duplicate", m.Name)
		}
		roots[m.Name] = nil
		if m.RootPEM == "" {
			continue
		}
		certs, err := c.parse(m.RootPEM)
		if err != nil {
			return nil, fmt.Errorf("root of %s: %w", m.Name, err)
		}
		roots[m.Name] = certs
	}
	return roots, nil
}
