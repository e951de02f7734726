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
)

// Options are what Discovery needs of its surroundings.
type Options struct {
	// Member whose agent this is.
	Member string
	// Listener takes the calls that the gateway brings in. Run closes it.
	Listener net.Listener
	// Dial connects to the own gateway's inside listener. serverName is the name that the TLS handshake will ask for, by
	// which the gateway finds the way; a dialler of one gateway need not look at it.
	Dial func(ctx context.Context, serverName string) (net.Conn, error)
	// Certificate is the agent's own, asked for in every handshake, so that a renewed one is used at once.
	Certificate func() (*tls.Certificate, error)
	// Changed is called with a consortium's name when its View has changed. It must not wait. It may be nil.
	Changed func(consortium string)
	Log     logr.Logger
	// Clock is time.Now if nil.
	Clock func() time.Time
	// Metrics may be nil.
	Metrics prometheus.Registerer
}

// Peer is one Member of a ring as the plan has it.
type Peer struct {
	Name string
	// RootPEM is the pinned root; empty as long as it is not known.
	RootPEM string
}

// Ring is the gossip of one Consortium.
type Ring struct {
	Consortium string
	// Members of the Consortium, this agent's own among them.
	Members []Peer
}

// ErrNoRing is returned where a Consortium is named that there is no ring for.
var ErrNoRing = errors.New("no gossip ring for this consortium")

// Discovery is one agent's part in the rings of all its Consortia. Its methods may be called at any time and from
// anywhere.
type Discovery struct {
	opts    Options
	log     logr.Logger
	metrics *metrics
	trust   atomic.Pointer[trust]

	mu      sync.Mutex
	rings   map[string]*ring
	running bool
	setting sync.Mutex // held while rings start and stop
}

// New makes a Discovery that has no rings and does nothing until it runs.
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
		opts: opts, log: opts.Log.WithName("discovery"), metrics: newMetrics(opts.Metrics), rings: map[string]*ring{},
	}
	d.trust.Store(newTrust())
	return d, nil
}

// Run gossips until the context ends, or the listener fails. It can be called once.
func (d *Discovery) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.setting.Lock()
	d.mu.Lock()
	d.running = true
	rings := slices.Collect(maps.Values(d.rings))
	d.mu.Unlock()
	for _, r := range rings {
		if err := r.start(); err != nil {
			d.log.Error(err, "cannot start gossip", "consortium", r.name)
		}
	}
	d.setting.Unlock()
	err := d.serve(ctx)
	d.setting.Lock()
	defer d.setting.Unlock()
	d.mu.Lock()
	d.running = false
	rings = slices.Collect(maps.Values(d.rings))
	d.mu.Unlock()
	var stopping sync.WaitGroup
	for _, r := range rings {
		stopping.Go(r.stop)
	}
	stopping.Wait()
	return err
}

// SetRings says which rings there are to be, and of whom. It is level-triggered: rings that are not named are left,
// Members that are not named are dropped with their records, and roots may come later. A record that does not check
// against a changed root is dropped. Rings with an error are left as they were.
func (d *Discovery) SetRings(rings []Ring) error {
	d.setting.Lock()
	defer d.setting.Unlock()
	var errs []error
	wanted := map[string]bool{}
	for _, want := range rings {
		wanted[want.Consortium] = true
		if err := d.setRing(want); err != nil {
			errs = append(errs, fmt.Errorf("gossip ring of %s: %w", want.Consortium, err))
		}
	}
	d.mu.Lock()
	var gone []*ring
	for name, r := range d.rings {
		if !wanted[name] {
			gone = append(gone, r)
			delete(d.rings, name)
		}
	}
	d.retrust()
	d.mu.Unlock()
	for _, r := range gone {
		r.stop()
		d.metrics.forget(r.name)
	}
	return errors.Join(errs...)
}

func (d *Discovery) setRing(want Ring) error {
	d.mu.Lock()
	r, running := d.rings[want.Consortium], d.running
	d.mu.Unlock()
	if r != nil {
		return r.set(want.Members)
	}
	if n := len(want.Consortium); n == 0 || n > maxRingName {
		return fmt.Errorf("the name has %d characters, where 1 to %d may be", n, maxRingName)
	}
	r = newRing(d, want.Consortium)
	if err := r.set(want.Members); err != nil {
		return err
	}
	if running {
		if err := r.start(); err != nil {
			return err
		}
	}
	d.mu.Lock()
	d.rings[want.Consortium] = r
	d.mu.Unlock()
	// What was told before could not be looked up.
	d.changed(want.Consortium)
	return nil
}

// retrust takes a new snapshot of all roots. The lock is held.
func (d *Discovery) retrust() {
	t := newTrust()
	for _, r := range d.rings {
		for _, p := range r.trusted() {
			t.add(p.name, p.roots)
		}
	}
	d.trust.Store(t)
}

// Publish makes a record of this agent's own Member known to the others.
func (d *Discovery) Publish(consortium string, signed v1alpha1.SignedRecord) error {
	c, err := readClaim(&signed)
	if err != nil {
		return err
	}
	if c.Member != d.opts.Member {
		return fmt.Errorf("publish: the record is of %.60q, and this is the agent of %s", c.Member, d.opts.Member)
	}
	return d.Offer(consortium, signed)
}

// Offer hands in a record that came in another way, such as by the host. It is checked like any other, and passed on if
// it is new. One that is known already, or older than the known one, is no error.
func (d *Discovery) Offer(consortium string, signed v1alpha1.SignedRecord) error {
	r := d.ring(consortium)
	if r == nil {
		return fmt.Errorf("%w: %s", ErrNoRing, consortium)
	}
	if err := r.take(&signed); err != nil && !errors.Is(err, errStale) {
		return err
	}
	return nil
}

// View is what is known of a Consortium's Members at the moment; without Members if there is no such ring.
func (d *Discovery) View(consortium string) View {
	if r := d.ring(consortium); r != nil {
		return *r.view.Load()
	}
	return View{Consortium: consortium}
}

func (d *Discovery) ring(consortium string) *ring {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rings[consortium]
}

// find is the transport of the ring that a caller asks for, if the caller is in it.
func (d *Discovery) find(consortium string, who caller) *transport {
	r := d.ring(consortium)
	if r == nil || !who.known(r.rootsOf(who.member)) {
		return nil
	}
	return r.incoming()
}

func (d *Discovery) changed(consortium string) {
	if d.opts.Changed != nil {
		d.opts.Changed(consortium)
	}
}
