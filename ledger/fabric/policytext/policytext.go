// Package policytext reads endorsement policies in the text that Fabric's users write: AND, OR and OutOf over principals
// such as 'org1MSP.peer'. It says what is wrong with a text before anybody signs it, and gives every policy one canonical
// text. It is pure, shared by the host and the members' agents, and must know nothing of protobuf, of plans nor of clients.
package policytext

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Limits of a policy. A text comes from another cluster, and is checked before anything else is done with it.
const (
	// MaxBytes is the longest text.
	MaxBytes = 4096
	// maxDepth is how deep gates may be nested.
	maxDepth = 16
	// maxPrincipals is how many principals a policy may name.
	maxPrincipals = 256
)

// Roles that a principal can have, as Fabric calls them.
const (
	RolePeer   = "peer"
	RoleMember = "member"
)

var roles = []string{RolePeer, RoleMember, "admin", "client", "orderer"}

// Node is a policy or a part of one: either a principal, or so many of some parts.
type Node struct {
	// MSPID and Role of a principal; empty in a gate.
	MSPID, Role string
	// Count of Of that have to be met; OR is 1 and AND is all of them.
	Count int
	Of    []*Node
}

// OutOf is a policy that is met by count of some members' peers.
func OutOf(count int, mspIDs []string) *Node {
	gate := &Node{Count: count}
	for _, id := range mspIDs {
		gate.Of = append(gate.Of, &Node{MSPID: id, Role: RolePeer})
	}
	return gate
}

// String is the one text of a policy: OutOf alone, single quotes, a space after each comma.
func (n *Node) String() string {
	if len(n.Of) == 0 {
		return "'" + n.MSPID + "." + n.Role + "'"
	}
	parts := []string{strconv.Itoa(n.Count)}
	for _, part := range n.Of {
		parts = append(parts, part.String())
	}
	return "OutOf(" + strings.Join(parts, ", ") + ")"
}

// Principals are those that the policy names, in the order of the text.
func (n *Node) Principals() []*Node {
	if len(n.Of) == 0 {
		return []*Node{n}
	}
	var all []*Node
	for _, part := range n.Of {
		all = append(all, part.Principals()...)
	}
	return all
}

// Met is whether the policy is met when every principal is that some predicate holds for.
func (n *Node) Met(by func(principal *Node) bool) bool {
	if len(n.Of) == 0 {
		return by(n)
	}
	count := 0
	for _, part := range n.Of {
		if part.Met(by) {
			count++
		}
	}
	return count >= n.Count
}

// Parse reads a text. An error says what is wrong with it, where, and how it is meant.
func Parse(text string) (*Node, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("the policy's text is longer than %d bytes: make it shorter, or use rule OutOf with members", MaxBytes)
	}
	p := &parser{text: text}
	node, err := p.gate(0)
	if err != nil {
		return nil, err
	}
	if p.skip(); p.at < len(p.text) {
		return nil, p.wrong("there is something after the end of the policy")
	}
	return node, nil
}

type parser struct {
	text       string
	at         int
	principals int
}

func (p *parser) wrong(format string, arguments ...any) error {
	near := p.text[min(p.at, len(p.text)):]
	if len(near) > 20 {
		near = strings.ToValidUTF8(near[:20], "") + "…"
	}
	where := fmt.Sprintf("at character %d, before %q", p.at+1, near)
	if near == "" {
		where = "at the end"
	}
	return fmt.Errorf("%s, %s: write a policy such as AND('org1MSP.peer', OR('org2MSP.peer', 'org3MSP.peer'))",
		fmt.Sprintf(format, arguments...), where)
}

func (p *parser) skip() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// take reads one character if it comes next.
func (p *parser) take(c byte) bool {
	if p.skip(); p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) while(allowed string) string {
	start := p.at
	for p.at < len(p.text) && strings.IndexByte(allowed, p.text[p.at]) >= 0 {
		p.at++
	}
	return p.text[start:p.at]
}

const missing = "a principal in quotes, such as 'org1MSP.peer', or another AND, OR or OutOf is missing"

const (
	digits  = "0123456789"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// gate reads AND(…), OR(…) or OutOf(n, …), in the spellings that Fabric takes.
func (p *parser) gate(depth int) (*Node, error) {
	if depth > maxDepth {
		return nil, p.wrong("the policy is nested more than %d deep", maxDepth)
	}
	p.skip()
	start := p.at
	name := p.while(letters)
	if !slices.Contains([]string{"AND", "And", "and", "OR", "Or", "or", "OUTOF", "OutOf", "outof"}, name) {
		if p.at = start; depth > 0 {
			return nil, p.wrong(missing)
		}
		return nil, p.wrong("a policy begins with AND, OR or OutOf")
	}
	if !p.take('(') {
		return nil, p.wrong("( has to follow %s", name)
	}
	gate := &Node{Count: 1}
	if strings.EqualFold(name, "outof") {
		if err := p.count(gate); err != nil {
			return nil, err
		}
	}
	if err := p.parts(gate, depth); err != nil {
		return nil, err
	}
	if strings.EqualFold(name, "and") {
		gate.Count = len(gate.Of)
	}
	if gate.Count < 1 || gate.Count > len(gate.Of) {
		return nil, p.wrong("OutOf asks for %d of %d: ask for at least 1, and for no more than there are", gate.Count, len(gate.Of))
	}
	return gate, nil
}

func (p *parser) count(gate *Node) error {
	p.skip()
	number := p.while(digits)
	count, err := strconv.Atoi(number)
	if err != nil || len(number) > 4 {
		return p.wrong("OutOf begins with a number, as in OutOf(2, …)")
	}
	if gate.Count = count; !p.take(',') {
		return p.wrong("a comma has to follow the number")
	}
	return nil
}

func (p *parser) parts(gate *Node, depth int) error {
	for {
		part, err := p.part(depth)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(gate.Of, func(other *Node) bool { return other.String() == part.String() }) {
			return p.wrong("%s is there twice: name everybody once", part)
		}
		gate.Of = append(gate.Of, part)
		if p.take(')') {
			return nil
		}
		if !p.take(',') {
			return p.wrong("a comma or ) is missing")
		}
	}
}

func (p *parser) part(depth int) (*Node, error) {
	p.skip()
	for _, quote := range []byte{'\'', '"'} {
		if p.take(quote) {
			return p.principal(quote)
		}
	}
	if p.at < len(p.text) && strings.IndexByte(letters, p.text[p.at]) >= 0 {
		return p.gate(depth + 1)
	}
	return nil, p.wrong(missing)
}

// principal reads MSPID.ROLE up to its quote. An MSP ID may have dots itself: the role is what follows the last one.
func (p *parser) principal(quote byte) (*Node, error) {
	start := p.at
	text := p.while(letters + digits + ".-")
	if p.at >= len(p.text) || p.text[p.at] != quote {
		return nil, p.wrong("a principal is made of letters, digits, dots and hyphens, and ends with the quote that it began with")
	}
	p.at++
	dot := strings.LastIndexByte(text, '.')
	if dot < 1 || !slices.Contains(roles, text[dot+1:]) {
		p.at = start
		return nil, p.wrong("a principal is an MSP ID, a dot and one of %s", strings.Join(roles, ", "))
	}
	if p.principals++; p.principals > maxPrincipals {
		return nil, p.wrong("the policy names more than %d principals", maxPrincipals)
	}
	return &Node{MSPID: text[:dot], Role: text[dot+1:]}, nil
}
