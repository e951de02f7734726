package discovery

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/statement"
)

// Options of a Discovery.
type Options struct {
	// Member whose agent this is.
	Member string
	// Listener accepts the connections that the gateway passes in. Run closes it.
	Listener net.Listener
	// Dial connects to the own gateway's inside listener. serverName is the SNI of the TLS handshake, by which the gateway
	// routes; a dialler of one gateway may ignore it.
	Dial func(ctx context.Context, serverName string) (net.Conn, error)
	// Certificate is the agent's own, called for every handshake, so that a renewed one is used at once.
	Certificate func() (*tls.Certificate, error)
	// Changed is called with a consortium's name when its View has changed. It must not block. It may be nil.
	Changed func(consortium string)
	// Received is called with a verified statement that was requested. It must not block. It may be nil.
	Received func(consortium string, s v1alpha1.StatementSpec)
	// Load finds a statement that the agent keeps and another Member asks for; nil if there is none. It may be nil.
	Load func(ctx context.Context, consortium string, key statement.Key) *v1alpha1.StatementSpec
	Log  logr.Logger
	// Clock is time.Now if nil.
	Clock func() time.Time
	// Metrics may be nil.
	Metrics prometheus.Registerer
}

// Peer is one Member of a group as the plan has it.
type Peer struct {
	Name string
	// RootPEM is the pinned root; empty as long as it is not known.
	RootPEM string
}

// Group is the gossip group of one Consortium.
type Group struct {
	Consortium string
	// Members of the Consortium, this agent's own among them.
	Members []Peer
}

// ErrNoGroup is returned for a Consortium without a gossip group.
var ErrNoGroup = errors.New("no gossip group for this consortium")

// Discovery is one agent's part in the gossip groups of all its Consortia. Its methods are safe for concurrent use.
type Discovery struct {
	opts    Options
	log     logr.Logger
	metrics *metrics
	trust   atomic.Pointer[trust]
	// sessions are the connections, which the groups share.
	sessions *sessions

	mu            sync.Mutex
	groups        map[string]*group
	running       bool
	settingGroups sync.Mutex // held while groups start and stop
	roots         rootCache
}

// New returns a Discovery without groups, which does nothing until Run.
func New(opts Options) (*Discovery, error) {
	switch {
	case opts.Member == "":
		return nil, errors.New("discovery: no member name")
	case opts.Listener == nil || opts.Dial == nil || opts.Certificate == nil:
		return nil, errors.New("discovery: a listener, a dialler and a certificate are needed")
	}
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	d := &Discovery{
		opts: opts, log: opts.Log.WithName("discovery"), metrics: newMetrics(opts.Metrics), groups: map[string]*group{},
	}
	d.trust.Store(newTrust())
	d.sessions = newSessions(d)
	return d, nil
}

// Run gossips until the context ends, or the listener fails. It can be called once.
func (d *Discovery) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.settingGroups.Lock()
	d.mu.Lock()
	d.running = true
	groups := slices.Collect(maps.Values(d.groups))
	d.mu.Unlock()
	for _, r := range groups {
		if err := r.start(); err != nil {
			d.log.Error(err, "cannot start gossip", "consortium", r.name)
		}
	}
	d.settingGroups.Unlock()
	err := d.serve(ctx)
	d.settingGroups.Lock()
	defer d.settingGroups.Unlock()
	d.mu.Lock()
	d.running = false
	groups = slices.Collect(maps.Values(d.groups))
	d.mu.Unlock()
	var stopping sync.WaitGroup
	for _, r := range groups {
		stopping.Go(r.stop)
	}
	stopping.Wait()
	d.sessions.close()
	return err
}

// SetGroups sets the groups and their members. It is level-triggered: the agent leaves groups that are not named, Members
// that are not named are dropped with their statements, and roots may come later. A statement that is not valid under a changed
// root is dropped. Groups with an error stay as they were.
func (d *Discovery) SetGroups(groups []Group) error {
	d.settingGroups.Lock()
	defer d.settingGroups.Unlock()
	var errs []error
	wanted := map[string]bool{}
	for _, want := range groups {
		wanted[want.Consortium] = true
		if err := d.setGroup(want); err != nil {
			errs = append(errs, fmt.Errorf("gossip group of %s: %w", want.Consortium, err))
		}
	}
	d.mu.Lock()
	var removed []*group
	for name, r := range d.groups {
		if !wanted[name] {
			removed = append(removed, r)
			delete(d.groups, name)
		}
	}
	d.updateTrust()
	d.mu.Unlock()
	d.roots.next()
	for _, r := range removed {
		r.stop()
		d.metrics.forget(r.name)
	}
	d.sessions.prune(d.trust.Load())
	return errors.Join(errs...)
}

func (d *Discovery) setGroup(want Group) error {
	d.mu.Lock()
	r, running := d.groups[want.Consortium], d.running
	d.mu.Unlock()
	if r != nil {
		return r.set(want.Members)
	}
	if n := len(want.Consortium); n == 0 || n > maxGroupName {
		return fmt.Errorf("the name has %d characters; it must have 1 to %d", n, maxGroupName)
	}
	r = newGroup(d, want.Consortium)
	if err := r.set(want.Members); err != nil {
		return err
	}
	if running {
		if err := r.start(); err != nil {
			return err
		}
	}
	d.mu.Lock()
	d.groups[want.Consortium] = r
	d.mu.Unlock()
	// Changes before this point could not be looked up.
	d.notifyChanged(want.Consortium)
	return nil
}

// updateTrust takes a new snapshot of all roots. The lock is held.
func (d *Discovery) updateTrust() {
	t := newTrust()
	for _, r := range d.groups {
		for _, p := range r.trustedPeers() {
			t.add(&p)
		}
	}
	d.trust.Store(t)
}

// Publish broadcasts a statement of this agent's own Member.
func (d *Discovery) Publish(consortium string, signed v1alpha1.StatementSpec) error {
	if signed.Member != d.opts.Member {
		return fmt.Errorf("publish: the statement is that of %.60q, and this is the agent of %s", signed.Member, d.opts.Member)
	}
	return d.Offer(consortium, signed)
}

// Offer adds a statement that came in another way, such as by the host. It is verified like any other, and broadcast if it
// is new. One that is known already, or older than the known one, is no error.
func (d *Discovery) Offer(consortium string, signed v1alpha1.StatementSpec) error {
	r := d.group(consortium)
	if r == nil {
		return fmt.Errorf("%w: %s", ErrNoGroup, consortium)
	}
	if err := r.accept(&signed); err != nil && !errors.Is(err, errStale) {
		return err
	}
	return nil
}

// Request asks the group for a statement of a kind that is not exchanged with everybody, a first block. It is handed to
// Options.Received once it has come and was verified. It may be called again.
func (d *Discovery) Request(consortium string, key statement.Key) {
	if r := d.group(consortium); r != nil {
		r.request(key)
	}
}

// View is the current View of a Consortium; without Members if there is no such group.
func (d *Discovery) View(consortium string) View {
	if r := d.group(consortium); r != nil {
		return *r.view.Load()
	}
	return View{Consortium: consortium}
}

// Records are copies of the verified records of a Consortium, by Member.
func (d *Discovery) Records(consortium string) map[string]v1alpha1.Record {
	return d.View(consortium).Records()
}

// Signed is the newest verified statement of a Member and kind; empty if there is none.
func (d *Discovery) Signed(consortium, member string, kind v1alpha1.StatementKind) Signed {
	m, _ := d.View(consortium).Member(member)
	return m.Signed[kind]
}

func (d *Discovery) group(consortium string) *group {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.groups[consortium]
}

// transportFor is the transport of the group that a caller names, if the caller is in it.
func (d *Discovery) transportFor(consortium string, who caller) *transport {
	r := d.group(consortium)
	if r == nil || !who.chainsTo(r.rootsOf(who.member)) {
		return nil
	}
	return r.incoming()
}

func (d *Discovery) notifyChanged(consortium string) {
	if d.opts.Changed != nil {
		d.opts.Changed(consortium)
	}
}
