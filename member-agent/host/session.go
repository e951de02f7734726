package host

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/policy"
)

// Events records events about the agent's bootstrap Secret.
type Events interface {
	Eventf(regarding runtime.Object, related runtime.Object, eventtype, reason, action, note string, args ...any)
}

// Options of a HostSession.
type Options struct {
	// Member that the agent belongs to.
	Member string
	// Namespace of the agent in its own cluster.
	Namespace string
	// Own reads and writes the own cluster without a cache; Cache holds the mirrors.
	Own   client.Client
	Cache cache.Cache
	// Instance is this agent's name in the Lease.
	Instance string
	Version  string
	// KubernetesVersion of the own cluster.
	KubernetesVersion string
	// LeaseInterval is how often the Lease is renewed, LeaseDuration how long the host is to wait for the next time.
	LeaseInterval, LeaseDuration time.Duration
	// CredentialLifetime is what the agent asks for; it renews at 70 % of what it is given.
	CredentialLifetime time.Duration
	// Workers that mirror and report in parallel.
	Workers int
	// Check says why a plan is rejected, with a reason of the API; empty if it is valid.
	Check func(*v1alpha1.MemberPlan) (reason, why string)
	// Statements that the agent keeps.
	Statements Statements
	// Limits are the most that plans may ask for.
	Limits policy.Limits
	// Metrics registers this package's metrics; nil for none.
	Metrics prometheus.Registerer
	Events  Events
	Log     logr.Logger
	Now     func() time.Time
}

// HostSession keeps the agent's session with the host. It is a manager.Runnable that needs leader election.
type HostSession struct {
	options         Options
	store           store
	registrar       registrar
	facts           *statusReporter
	local           localEvents
	usage           usageTracker
	rejections      *rejections
	writeLimiter    writeLimiter
	credentialWatch *credentialWatch
	lastContact     prometheus.Gauge
	reportLock      sync.Mutex
	// tried is when each invitation, by its hash, was last tried while there was a valid credential.
	tried map[string]time.Time
	log   logr.Logger
}

// New returns a HostSession that is not yet started.
func New(o Options) *HostSession {
	scheme := o.Own.Scheme()
	return &HostSession{
		options: o,
		store:   store{reader: o.Own, writer: o.Own, namespace: o.Namespace},
		registrar: registrar{
			member:            o.Member,
			lifetime:          o.CredentialLifetime,
			now:               o.Now,
			credentialTimeout: credentialTimeout,
			connect:           func(c *rest.Config) (client.Client, error) { return directClient(c, scheme) },
		},
		facts:           newStatusReporter(),
		usage:           usageTracker{limits: o.Limits, used: map[string]policy.Usage{}},
		rejections:      newRejections(o.Metrics),
		credentialWatch: newCredentialWatch(o.Metrics),
		lastContact:     newLastContact(o.Metrics, o.Now()),
		tried:           map[string]time.Time{},
		writeLimiter:    writeLimiter{limiters: map[string]*rate.Limiter{}},
		log:             o.Log.WithName("host"),
	}
}

// NeedLeaderElection says that one replica at a time talks to the host.
func (l *HostSession) NeedLeaderElection() bool { return true }

// Start runs sessions until ctx ends. It returns an error only if the mirrors cannot be watched: an unreachable host is
// retried.
func (l *HostSession) Start(ctx context.Context) error {
	stop, err := l.watchMirrors(ctx)
	if err != nil {
		return err
	}
	defer stop()
	for failures := 0; ctx.Err() == nil; {
		began := l.options.Now()
		err := l.runSession(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			failures = 0
			continue
		}
		if l.options.Now().Sub(began) > 2*time.Minute {
			failures = 0
		}
		l.reportError(err)
		sleep(ctx, backoff(failures))
		failures++
	}
	return nil
}

// runSession is one session: it finds the credential and works with it until it is renewed or rejected.
func (l *HostSession) runSession(ctx context.Context) error {
	c, err := l.loadCredential(ctx)
	if err != nil {
		return err
	}
	namespace := v1alpha1.MemberNamespace(l.options.Member)
	conn, err := connect(c, namespace, l.options.Own.Scheme())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer conn.close()
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return l.runMirror(ctx, conn) })
	work.Go(func() error { l.runLease(ctx, conn, c); return nil })
	work.Go(func() error { l.runFacts(ctx, conn, c); return nil })
	work.Go(func() error {
		defer cancel()
		return l.keepCredential(ctx, conn, c)
	})
	return work.Wait()
}

// keepCredential renews the credential in time. It returns when there is a new one or a new invitation, or when the host
// rejects the one that there is.
func (l *HostSession) keepCredential(ctx context.Context, conn *connection, c *credential) error {
	changed := l.options.Now()
	for tries := 0; ; {
		wait := c.renewAt().Sub(l.options.Now())
		if tries > 0 {
			wait = backoff(tries)
		}
		timer := time.NewTimer(min(max(wait, 0), invitationInterval))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-conn.unauthorized:
			timer.Stop()
			return errUnauthorized
		case <-timer.C:
		}
		if invited, err := l.store.invitation(ctx); err == nil {
			if l.shouldRegister(invited, c, true) {
				return nil
			}
			l.removeUsedToken(ctx, invited, c)
		}
		if tries == 0 && l.options.Now().Before(c.renewAt()) {
			continue
		}
		err := l.renew(ctx, conn, c)
		if err == nil {
			l.log.Info("the host has renewed the agent's credential", "held", l.options.Now().Sub(changed))
			return nil
		}
		tries++
		if ctx.Err() == nil {
			l.log.Error(err, "renew the credential", "validUntil", c.leaf().NotAfter)
		}
	}
}

// renew requests another certificate for the credential's key, and stores it. The request is reported to the host before,
// so that it can tell it from one that somebody else makes.
func (l *HostSession) renew(ctx context.Context, conn *connection, c *credential) error {
	next := *c
	err := l.registrar.renew(ctx, &next, func(hash string) error {
		c.requests.add(hash)
		if err := l.store.save(ctx, storedCredentials{current: c}); err != nil {
			return err
		}
		f, known := l.facts.get()
		if !known {
			return errors.New("the organization's own identity is not known yet")
		}
		return l.report(ctx, conn, f, c)
	})
	if err != nil {
		return err
	}
	return l.store.save(ctx, storedCredentials{current: &next})
}

// invitationInterval is how often the agent looks whether there is a new invitation.
const invitationInterval = time.Minute

func (l *HostSession) reportError(err error) {
	var refused errNotAdmitted
	switch {
	case errors.As(err, &refused):
		l.event(corev1.EventTypeWarning, "Refused", refused.Error())
		l.log.Error(err, "the host denies this agent's registration")
	case errors.Is(err, errNoInvitation):
		l.event(corev1.EventTypeWarning, "NotInvited", err.Error())
		l.log.Error(err, "no access to the host")
	default:
		l.log.Error(err, "no connection to the host; the agent continues with the mirrored plans")
	}
}

func (l *HostSession) event(kind, reason, message string) {
	if l.options.Events == nil {
		return
	}
	about := &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Namespace: l.options.Namespace, Name: BootstrapSecret},
	}
	l.options.Events.Eventf(about, nil, kind, reason, "Register", "%s", message)
}
