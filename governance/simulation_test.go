package governance

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var (
	simulationSteps = flag.Int("steps", 1_000_000, "steps of the simulation")
	simulationSeed  = flag.Uint64("seed", 0, "seed of the first run of the simulation, 0 for one by the time; failures print theirs")
)

const ballotTime = 10 * time.Second

// TestNoForkAndNoStall lets members decide on positions while messages are lost, late, repeated and out of order, members
// restart and forget all but what they have said themselves, clocks differ, and as many members lie as the quorum allows for,
// or one fewer. No two proposals may be accepted at one position, whoever looks; and once messages arrive again, every honest
// member accepts one within a few ballots, whatever the liars say meanwhile.
func TestNoForkAndNoStall(t *testing.T) {
	seed := *simulationSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	runs, worst := 0, int64(0)
	for steps := 0; steps < *simulationSteps; runs++ {
		s := newSimulation(seed)
		n, ballot, err := s.run()
		if err != nil {
			t.Fatalf("%v\nto repeat it: go test ./governance -run %s -seed %d -steps 1", err, t.Name(), seed)
		}
		steps += n
		worst = max(worst, ballot)
		seed++
	}
	t.Logf("%d positions, at most %d ballots in one once messages arrived", runs, worst+1)
}

// TestOneLiarMoreForks shows that the simulation finds forks: with one liar more than the quorum allows for it does.
func TestOneLiarMoreForks(t *testing.T) {
	for _, members := range []int{3, 4, 5, 7} {
		found := false
		for seed := uint64(1); seed < 20_000 && !found; seed++ {
			s := newSimulationOf(seed, members, members/2+1)
			s.makeLiars(2*s.quorum - members)
			_, _, err := s.run()
			found = errors.Is(err, errFork)
		}
		if !found {
			t.Errorf("%d members: no fork found, so the simulation would not find one either where there must be none", members)
		}
	}
}

var errFork = errors.New("a fork")

// node is one member. The memory of a liar is of no use to it.
type node struct {
	name     string
	liar     bool
	own      []Ballot // survives a restart
	known    *Ballots
	clock    Clock
	skew     time.Duration
	eligible []string
}

type simulation struct {
	random *rand.Rand
	nodes  []*node
	quorum int
	names  []string
	now    time.Time
	// all that was ever said; a message is delivered from here, any number of times. Of late ones not everybody knows yet.
	all, late []Ballot
	// observer sees everything, as nobody does.
	observer *Ballots
	chaos    bool
	loss     float64
	options  []string
}

func newSimulation(seed uint64) *simulation {
	random := rand.New(rand.NewPCG(seed, 2))
	n := 2 + random.IntN(8)
	return newSimulationOf(seed, n, n/2+1+random.IntN(n-n/2))
}

func newSimulationOf(seed uint64, members, quorum int) *simulation {
	s := &simulation{random: rand.New(rand.NewPCG(seed, 1)), now: time.Unix(0, 0), chaos: true, quorum: quorum}
	for i := range members {
		s.names = append(s.names, fmt.Sprintf("org%d", i))
	}
	for _, name := range s.names {
		s.nodes = append(s.nodes, &node{name: name, known: NewBallots(s.names, s.quorum), skew: time.Duration(s.random.IntN(7200)-3600) * time.Second})
	}
	s.observer = NewBallots(s.names, s.quorum)
	s.loss = s.random.Float64()
	for i := range 1 + s.random.IntN(3) {
		s.options = append(s.options, fmt.Sprintf("proposal%d", i))
	}
	// As many liars as can neither fork the log nor stop it.
	s.makeLiars(s.random.IntN(min(2*quorum-members-1, members-quorum) + 1))
	return s
}

func (s *simulation) makeLiars(count int) {
	for i, at := range s.random.Perm(len(s.nodes)) {
		s.nodes[at].liar = i < count
	}
}

// run is chaos for some time and then order until all have accepted; it returns the steps and the highest ballot.
func (s *simulation) run() (steps int, highest int64, err error) {
	for range 50 + s.random.IntN(400) {
		if err := s.step(); err != nil {
			return 0, 0, err
		}
		steps++
	}
	before := s.highest()
	s.chaos = false
	for _, n := range s.nodes {
		n.eligible = s.options
	}
	for s.undecided() {
		if err := s.step(); err != nil {
			return 0, 0, err
		}
		steps++
		if ballots := s.highest() - before; ballots > 40 {
			return 0, 0, fmt.Errorf("%d members, quorum %d: nothing is accepted %d ballots after messages arrive", len(s.nodes), s.quorum, ballots)
		}
		if steps > 20_000 {
			return 0, 0, fmt.Errorf("%d members, quorum %d: no ballot ends", len(s.nodes), s.quorum)
		}
	}
	return steps, s.highest() - before, nil
}

func (s *simulation) highest() int64 {
	highest := int64(0)
	for _, n := range s.nodes {
		if !n.liar {
			highest = max(highest, n.clock.Number)
		}
	}
	return highest
}

func (s *simulation) undecided() bool {
	return slices.ContainsFunc(s.nodes, func(n *node) bool { return !n.liar && len(n.known.Accepted()) == 0 })
}

func (s *simulation) step() error {
	s.now = s.now.Add(time.Duration(s.random.IntN(2000)) * time.Millisecond)
	n := s.nodes[s.random.IntN(len(s.nodes))]
	if len(s.late) > 0 && s.random.IntN(3) == 0 {
		at := s.random.IntN(len(s.late))
		s.say(s.late[at : at+1])
		s.late = slices.Delete(s.late, at, at+1)
	}
	switch {
	case n.liar:
		s.lie(n)
	default:
		if s.chaos {
			s.disturb(n)
		}
		s.hear(n)
		says, clock := n.known.Next(n.name, n.eligible, n.clock, ballotTime, s.now.Add(n.skew))
		n.clock = clock
		n.own = append(n.own, says...)
		s.say(says)
	}
	if accepted := s.observer.Accepted(); len(accepted) > 1 {
		return fmt.Errorf("%d members, quorum %d: %w: %v", len(s.nodes), s.quorum, errFork, accepted)
	}
	return nil
}

// disturb restarts a member at times, and has votes reach it, or be withdrawn.
func (s *simulation) disturb(n *node) {
	if s.random.IntN(40) == 0 {
		n.known, n.clock = NewBallots(s.names, s.quorum), Clock{}
		for _, own := range n.own {
			n.known.Add(own)
		}
	}
	if s.random.IntN(10) == 0 {
		n.eligible = nil
		for _, o := range s.options {
			if s.random.IntN(2) == 0 {
				n.eligible = append(n.eligible, o)
			}
		}
	}
}

// hear delivers some of what was ever said, in any order; everything once there is order.
func (s *simulation) hear(n *node) {
	for _, at := range s.random.Perm(len(s.all)) {
		if !s.chaos || s.random.Float64() > s.loss {
			n.known.Add(s.all[at])
		}
	}
}

// lie says whatever may do harm: mostly what somebody else has said, about each proposal, and to some first.
func (s *simulation) lie(n *node) {
	for range s.random.IntN(4) {
		number := int64(s.random.IntN(3))
		if len(s.all) > 0 {
			number += s.all[s.random.IntN(len(s.all))].Number
		}
		lie := Ballot{Member: n.name, Phase: []Phase{Prepare, Commit}[s.random.IntN(2)], Number: number, Proposal: s.options[s.random.IntN(len(s.options))]}
		to := s.nodes[s.random.IntN(len(s.nodes))]
		to.known.Add(lie)
		if s.observer.Add(lie); s.random.IntN(2) == 0 {
			s.late = append(s.late, lie) // told to one only, who passes it on some time
		} else {
			s.say([]Ballot{lie})
		}
	}
}

func (s *simulation) say(ballots []Ballot) {
	for _, b := range ballots {
		s.observer.Add(b)
		if !slices.Contains(s.all, b) {
			s.all = append(s.all, b)
		}
	}
}
