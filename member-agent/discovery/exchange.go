package discovery

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/statement"
)

// loadTimeout is how long the agent's own store may take for a statement that another Member asks for.
const loadTimeout = 10 * time.Second

// localState is the state for a full exchange: the own Member's statements, and an inventory of all. The other side asks for
// what it does not have.
func (r *group) localState() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	var state []byte
	list := inventory{From: r.self()}
	now := r.now()
	for key, e := range r.store.held {
		if now.After(e.expires) {
			continue // nobody would accept it
		}
		list.Have = append(list.Have, entry{Member: key.Member, Kind: key.Kind, Sequence: e.signed.Sequence, Digest: e.digest})
		if key.Member == r.self() {
			state = r.appendStatement(state, &e.signed)
		}
	}
	longer, err := appendFrame(state, frameDigests, list)
	if err != nil {
		return state
	}
	return longer
}

// appendStatement adds a statement to a state if the state stays within its bounds. The lock is held.
func (r *group) appendStatement(state []byte, s *v1alpha1.StatementSpec) []byte {
	longer, err := appendFrame(state, frameStatement, s)
	if err != nil || len(longer) > boundsFor(len(r.store.roots)).state {
		return state
	}
	return longer
}

// acceptAll works on the state of another agent: it takes the statements, asks for what the inventory shows to be missing
// here, and answers questions.
func (r *group) acceptAll(state []byte) {
	all, err := parseState(state, r.maxFrames())
	if err != nil {
		r.d.metrics.rejected.WithLabelValues(reason(err)).Inc()
	}
	for i := range all.statements {
		if err := r.accept(&all.statements[i]); err != nil && !errors.Is(err, errStale) {
			r.d.log.V(1).Info("statement rejected", "consortium", r.name, "error", err.Error())
		}
	}
	for _, list := range all.inventories {
		if missing := r.missing(list.Have); len(missing) > 0 {
			r.ask(list.From, missing)
		}
	}
	for _, q := range all.questions {
		r.answer(q)
	}
}

// maxFrames is how many frames, and entries of an inventory or a question, one state may have: every Member's statements of
// the kinds that are held, and a first block for each channel.
func (r *group) maxFrames() int { return 2*r.size() + v1alpha1.MaxPlanChannels + 2 }

// missing are the keys of an inventory of which there is no statement here, or an older one. The own Member's are among them:
// an agent that has lost everything learns its own sequence from the others.
func (r *group) missing(have []entry) []statement.Key {
	r.mu.Lock()
	defer r.mu.Unlock()
	var keys []statement.Key
	for _, h := range have {
		key := statement.Key{Member: h.Member, Kind: h.Kind}
		if !isHeld(h.Kind) || r.store.roots[h.Member] == "" {
			continue
		}
		known := r.store.held[key]
		if known == nil || known.signed.Sequence < h.Sequence || (known.signed.Sequence == h.Sequence && known.digest != h.Digest) {
			keys = append(keys, key)
		}
	}
	return keys
}

// ask queues a question for a member.
func (r *group) ask(member string, keys []statement.Key) {
	if c := r.contactOf(member); c != nil {
		c.ask(keys)
	}
}

// answer queues what a member asks for. Only what there is, or may be in the agent's own store, is queued.
func (r *group) answer(q question) {
	c := r.contactOf(q.From)
	if c == nil {
		return
	}
	var keys []statement.Key
	r.mu.Lock()
	for _, w := range q.Want {
		key := w.key()
		_, isMember := r.store.roots[key.Member]
		if r.store.held[key] != nil || (isMember && key.Kind == v1alpha1.StatementGenesis && r.d.opts.Load != nil) {
			keys = append(keys, key)
		}
	}
	r.mu.Unlock()
	for _, key := range keys {
		c.queue(key)
	}
}

func (r *group) contactOf(member string) *contact {
	r.mu.Lock()
	g := r.gossip
	r.mu.Unlock()
	if g == nil {
		return nil
	}
	return g.contact(member)
}

// request asks the group for a statement that is not held in memory, until it comes: its own Member first, or two of the
// others, which may keep it too.
func (r *group) request(key statement.Key) {
	r.mu.Lock()
	if _, isMember := r.store.roots[key.Member]; !isMember || key.Member == r.self() || len(r.store.wanted) > 2*v1alpha1.MaxPlanChannels {
		r.mu.Unlock()
		return
	}
	r.store.wanted[key] = true
	r.mu.Unlock()
	var online []string
	for _, m := range r.view.Load().Members {
		if !m.Online || m.Name == r.self() {
			continue
		}
		if m.Name == key.Member {
			r.ask(m.Name, []statement.Key{key})
			return
		}
		online = append(online, m.Name)
	}
	rand.Shuffle(len(online), func(i, j int) { online[i], online[j] = online[j], online[i] })
	for _, name := range online[:min(len(online), fanout)] {
		r.ask(name, []statement.Key{key})
	}
}

// stateOf is the state with the statements of some keys, and a question for others.
func (r *group) stateOf(ctx context.Context, keys, wants []statement.Key) []byte {
	var state []byte
	for _, key := range keys {
		if s := r.find(ctx, key); s != nil {
			r.mu.Lock()
			state = r.appendStatement(state, s)
			r.mu.Unlock()
		}
	}
	if len(wants) > 0 {
		q := question{From: r.self()}
		for _, key := range wants {
			q.Want = append(q.Want, want{Member: key.Member, Kind: key.Kind, Subject: key.Subject})
		}
		if longer, err := appendFrame(state, frameWants, q); err == nil {
			state = longer
		}
	}
	return state
}

// find is the statement of a key, from memory or from the agent's own store; nil if there is none that others would accept.
func (r *group) find(ctx context.Context, key statement.Key) *v1alpha1.StatementSpec {
	r.mu.Lock()
	e, now := r.store.held[key], r.now()
	r.mu.Unlock()
	if e != nil && !now.After(e.expires) {
		return &e.signed
	}
	if isHeld(key.Kind) || r.d.opts.Load == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	return r.d.opts.Load(ctx, r.name, key)
}

// sortedKeys are the keys of a set in a stable order.
func sortedKeys(set map[statement.Key]bool) []statement.Key {
	var keys []statement.Key
	for key := range set {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b statement.Key) int {
		return cmp.Or(cmp.Compare(a.Member, b.Member), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject))
	})
	return keys
}
