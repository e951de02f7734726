package fabric

import (
	"cmp"
	"context"
	"net"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

// Options of a Driver.
type Options struct {
	// Dial connects to host:port, the host being a node's one name. A net.Dialer when nil.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// ClusterDomain is the DNS domain of the Member's cluster. cluster.local when empty.
	ClusterDomain string
	// Now is the clock by which nodes are asked again which ledger they hold. time.Now when nil.
	Now func() time.Time
	// AllowsName says whether the organization certifies a further name or IP address of its nodes that the plan asks for. None
	// when nil.
	AllowsName func(name string) bool
	// ResubmitAfter is how long clients wait for a transaction's commit, at least, before they submit it again. 750 ms when 0.
	ResubmitAfter time.Duration
}

// Driver drives Hyperledger Fabric.
type Driver struct {
	dial          func(ctx context.Context, address string) (net.Conn, error)
	clusterDomain string
	ledgers       *ledgerCache
	rules         *ruleCache
	allowsName    func(name string) bool
	resubmitAfter time.Duration
}

var _ ledger.Driver = (*Driver)(nil)

// New makes a Driver.
func New(options Options) *Driver {
	driver := &Driver{
		dial: options.Dial, clusterDomain: options.ClusterDomain, allowsName: options.AllowsName,
		resubmitAfter: cmp.Or(options.ResubmitAfter, resubmitAfter),
		ledgers:       newLedgerCache(options.Now), rules: &ruleCache{byHash: map[string]*rules{}},
	}
	if driver.dial == nil {
		dialer := &net.Dialer{Timeout: 10 * time.Second}
		driver.dial = func(ctx context.Context, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", address)
		}
	}
	if driver.allowsName == nil {
		driver.allowsName = func(string) bool { return false }
	}
	if driver.clusterDomain == "" {
		driver.clusterDomain = "cluster.local"
	}
	return driver
}

// settings are the plan's Fabric settings with every default filled in.
func settings(plan *v1alpha1.MemberPlan) v1alpha1.FabricSpec {
	return *planner.Planner{}.Ledger(plan.Spec.Ledger).Fabric
}
