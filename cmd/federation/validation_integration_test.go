//go:build integration

package main

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

const (
	header    = "apiVersion: federation.hanse.io/v1alpha1\n"
	twoOfThem = "spec: {members: [{name: a, role: Leader}, {name: b}]}\n"
)

func object(t *testing.T, text, namespace string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	must(t, yaml.Unmarshal([]byte(header+text), &u.Object))
	if kind := u.GetKind(); kind != "Line" && kind != "Member" {
		u.SetNamespace(namespace)
	}
	return u
}

func TestInvalidCreate(t *testing.T) {
	namespace := namespaced(t)
	for _, c := range []struct{ why, object, says string }{
		{"nobody would make the first block", "kind: Consortium\nmetadata: {name: c}\nspec: {members: [{name: a}, {name: b}]}", "exactly one Leader"},
		{"two would make it", "kind: Consortium\nmetadata: {name: c}\nspec: {members: [{name: a, role: Leader}, {name: b, role: Leader}]}", "exactly one Leader"},
		{"a member twice", "kind: Consortium\nmetadata: {name: c}\nspec: {members: [{name: a, role: Leader}, {name: a}]}", "Duplicate value"},
		{"no members", "kind: Consortium\nmetadata: {name: c}\nspec: {members: []}", "at least 1 items"},
		{"nobody orders", "kind: Consortium\nmetadata: {name: c}\nspec: {members: [{name: a, role: Leader, orderers: 0}]}", "needs an ordering service"},
		{"too many orderers", "kind: Consortium\nmetadata: {name: c}\nspec: {members: [{name: a, role: Leader, orderers: 10}]}", "less than or equal to 9"},
		{"a negative number of peers", "kind: Consortium\nmetadata: {name: c}\nspec: {members: [{name: a, role: Leader, peers: -1}]}", "greater than or equal to 0"},
		{"an unknown role", "kind: Consortium\nmetadata: {name: c}\nspec: {members: [{name: a, role: Boss}]}", "Unsupported value"},
		{"an unknown ledger", "kind: Consortium\nmetadata: {name: c}\nspec: {ledger: {type: Besu}, members: [{name: a, role: Leader}]}", "Unsupported value"},
		{"a member's name that no Member can have", "kind: Consortium\nmetadata: {name: c}\nspec: {members: [{name: Org_1, role: Leader}]}", "not a valid Member name"},
		{"a name that makes no DNS label", "kind: Consortium\nmetadata: {name: a.b}\n" + twoOfThem, "becomes a namespace"},
		{"a name too long for its namespace", "kind: Consortium\nmetadata: {name: " + strings.Repeat("a", 51) + "}\n" + twoOfThem, "becomes a namespace"},
		{"a name that is Hanse's own", "kind: Consortium\nmetadata: {name: system}\n" + twoOfThem, "becomes a namespace"},
		{"a name that begins with a digit", "kind: Consortium\nmetadata: {name: 1c}\n" + twoOfThem, "becomes a namespace"},
		{"a Member's name with a dot", "kind: Member\nmetadata: {name: org.1}\n", "part of its nodes' names"},
		{"a Member's name too long for its nodes", "kind: Member\nmetadata: {name: " + strings.Repeat("m", 41) + "}\n", "part of its nodes' names"},
		{"a line to itself", "kind: Line\nmetadata: {name: l}\nspec: {ends: [{member: a, address: 192.0.2.1}, {member: a, address: 192.0.2.2}]}", "two different ones"},
		{"a line with one end", "kind: Line\nmetadata: {name: l}\nspec: {ends: [{member: a, address: 192.0.2.1}]}", "at least 2 items"},
		{"a line with three ends", "kind: Line\nmetadata: {name: l}\nspec: {ends: [{member: a, address: 192.0.2.1}, {member: b, address: 192.0.2.2}, {member: c, address: 192.0.2.3}]}", "at most 2 items"},
		{"a line to nowhere", "kind: Line\nmetadata: {name: l}\nspec: {ends: [{member: a, address: 192.0.2.1}, {member: b, address: \"\"}]}", "at least 1 chars"},
		{"an address with a port in it", "kind: Line\nmetadata: {name: l}\nspec: {ends: [{member: a, address: 192.0.2.1}, {member: b, address: \"192.0.2.2:7443\"}]}", "not reachable from other clusters"},
		{"an address that is none", "kind: Line\nmetadata: {name: l}\nspec: {ends: [{member: a, address: 192.0.2.1}, {member: b, address: 0.0.0.0}]}", "not reachable from other clusters"},
		{"a mistyped IP address", "kind: Line\nmetadata: {name: l}\nspec: {ends: [{member: a, address: 192.0.2.1}, {member: b, address: 192.0.2.256}]}", "not reachable from other clusters"},
		{"a port that is none", "kind: Line\nmetadata: {name: l}\nspec: {ends: [{member: a, address: 192.0.2.1, port: 70000}, {member: b, address: 192.0.2.2}]}", "less than or equal to 65535"},
		{"a channel with a member twice", "kind: Channel\nmetadata: {name: ch}\nspec: {consortium: c, members: [a, a]}", "Duplicate value"},
		{"a channel without a consortium", "kind: Channel\nmetadata: {name: ch}\nspec: {members: [a]}", "Required value"},
		{"a channel's name that Fabric rejects", "kind: Channel\nmetadata: {name: 1ch}\nspec: {consortium: c}", "its name on the ledger"},
		{"endorsement by others than members", "kind: Channel\nmetadata: {name: ch}\nspec: {consortium: c, members: [a, b], endorsement: {rule: OutOf, count: 1, members: [x]}}", "never be met"},
		{"more endorsements than members", "kind: Channel\nmetadata: {name: ch}\nspec: {consortium: c, endorsement: {rule: OutOf, count: 3, members: [a, b]}}", "never be met"},
		{"OutOf without a count", "kind: Channel\nmetadata: {name: ch}\nspec: {consortium: c, endorsement: {rule: OutOf, members: [a, b]}}", "needs count and members"},
		{"a count that nobody reads", "kind: Channel\nmetadata: {name: ch}\nspec: {consortium: c, endorsement: {rule: All, count: 2}}", "rule OutOf only"},
		{"neither template nor image", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch}", "exactly one of the two"},
		{"template and image", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, image: x}", "exactly one of the two"},
		{"an unknown template", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: casino}", "Unsupported value"},
		{"a version that is no version", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, version: \"a b\"}", "without blanks: write one such as 1.0"},
		{"a contract's name that makes no DNS label", "kind: Contract\nmetadata: {name: a.b}\nspec: {channel: ch, template: notary}", "CHANNEL-CONTRACT"},
		{"contract and channel too long together", "kind: Contract\nmetadata: {name: " + strings.Repeat("n", 30) + "}\nspec: {channel: " + strings.Repeat("c", 21) + ", template: notary}", "within 50 characters"},
		{"a contract's variable that the agent sets", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, env: [{name: CORE_PEER_LOCALMSPID, value: evilMSP}]}", "set by the agent"},
		{"another one", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, env: [{name: CHAINCODE_TLS_DISABLED, value: \"true\"}]}", "set by the agent"},
		{"a variable from two places", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, env: [{name: A, value: b, secretKeyRef: {name: s, key: k}}]}", "exactly one of the two"},
		{"a variable from nowhere", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, env: [{name: A}]}", "exactly one of the two"},
		{"a variable's name with a hyphen", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, env: [{name: MY-VAR, value: b}]}", "letters, digits and underscores"},
		{"a variable twice", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, env: [{name: A, value: b}, {name: A, value: c}]}", "Duplicate value"},
		{"a Secret's name with a slash", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, env: [{name: A, secretKeyRef: {name: other/s, key: k}}]}", "name of a Secret"},
		{"no replica of a contract", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, replicas: 0}", "greater than or equal to 1"},
		{"too many of them", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, replicas: 9}", "less than or equal to 8"},
		{"a policy's text in the wrong field", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, endorsement: {rule: \"OR('aMSP.peer')\"}}", "goes into the field policy instead"},
		{"a rule in the field of the text", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, endorsement: {policy: Majority}}", "go into the field rule"},
		{"a rule and a text", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, endorsement: {rule: Any, policy: \"OR('aMSP.peer')\"}}", "leave out rule, count and members, or leave out policy"},
		{"a rule with the wrong case", "kind: Channel\nmetadata: {name: ch}\nspec: {consortium: c, endorsement: {rule: majority}}", "rule is Majority, All, Any or OutOf"},
		{"a collection without members", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, collections: [{name: x, members: []}]}", "should have at least 1 items"},
		{"a collection of which the ledger takes no such name", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, collections: [{name: _x, members: [a]}]}", "begins with a letter or digit"},
		{"a collection twice", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, collections: [{name: x, members: [a]}, {name: x, members: [b]}]}", "Duplicate value"},
		{"a collection's member twice", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, collections: [{name: x, members: [a, a]}]}", "Duplicate value"},
		{"more peers required than sent to", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, collections: [{name: x, members: [a], requiredPeers: 2, maxPeers: 1}]}", "cannot be more than maxPeers"},
		{"a name on the ledger that makes no DNS label", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, name: Asset_Transfer}", "CHANNEL-CONTRACT"},
		{"more endorsements of a contract than members", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, endorsement: {rule: OutOf, count: 2, members: [a]}}", "never be met"},
	} {
		t.Run(c.why, func(t *testing.T) {
			err := admin.Create(ctx, object(t, c.object, namespace), client.DryRunAll)
			if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an Invalid error that says %q", err, c.says)
			}
		})
	}
}

func TestValidCreate(t *testing.T) {
	namespace := namespaced(t)
	for _, c := range []struct{ why, object string }{
		{"everything left to its default", "kind: Consortium\nmetadata: {name: c}\n" + twoOfThem},
		{"a member that only orders", "kind: Consortium\nmetadata: {name: c}\nspec: {members: [{name: a, role: Leader, peers: 0}]}"},
		{"names at their longest", "kind: Consortium\nmetadata: {name: " + strings.Repeat("a", 50) + "}\nspec: {members: [{name: " + strings.Repeat("m", 40) + ", role: Leader}]}"},
		{"a line by DNS name, and one by IPv6 address", "kind: Line\nmetadata: {name: l}\nspec: {ends: [{member: a, address: gw.a.example}, {member: b, address: \"2001:db8::1\"}]}"},
		{"a batch of one's own", "kind: Channel\nmetadata: {name: ch}\nspec: {consortium: c, batch: {maxMessages: 10, timeout: 2s, absoluteMaxBytes: 1Mi}}"},
		{"an environment, replicas, and no TLS", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, image: \"registry.example/n:1\", replicas: 2, tls: false, env: [{name: A, value: \"\"}, {name: B, secretKeyRef: {name: s.1, key: tls.key}}]}"},
		{"a contract with a policy's text, collections and a name of its own", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, template: notary, name: other, endorsement: {policy: \"AND('aMSP.peer', OR('bMSP.peer'))\"}, collections: [{name: x, members: [a, b], requiredPeers: 1, blockToLive: 10}]}"},
		{"a contract of one's own", "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, image: \"registry.example/n:1\", version: \"2.1\"}"},
	} {
		t.Run(c.why, func(t *testing.T) {
			must(t, admin.Create(ctx, object(t, c.object, namespace), client.DryRunAll))
		})
	}
}

func TestInvalidUpdate(t *testing.T) {
	namespace := namespaced(t)
	consortium := "kind: Consortium\nmetadata: {name: fixed}\nspec: {members: [{name: a, role: Leader, peers: 2}, {name: b}]}"
	channel := "kind: Channel\nmetadata: {name: fixed}\nspec: {consortium: nowhere}"
	contract := "kind: Contract\nmetadata: {name: fixed}\nspec: {channel: nowhere, template: notary}"
	for _, text := range []string{consortium, channel, contract} {
		must(t, admin.Create(ctx, object(t, text, namespace)))
	}
	for _, c := range []struct{ why, object, patch, says string }{
		{"a member more", consortium, `{"spec":{"members":[{"name":"a","role":"Leader","peers":2,"orderers":1},{"name":"b"},{"name":"c"}]}}`, "members' own consent"},
		{"another leader", consortium, `{"spec":{"members":[{"name":"a","peers":2,"orderers":1},{"name":"b","role":"Leader"}]}}`, "members' own consent"},
		{"an orderer more", consortium, `{"spec":{"members":[{"name":"a","role":"Leader","peers":2,"orderers":2},{"name":"b"}]}}`, "consenters would have to agree"},
		{"a peer less", consortium, `{"spec":{"members":[{"name":"a","role":"Leader","peers":1},{"name":"b"}]}}`, "not taken away"},
		{"another state database", consortium, `{"spec":{"nodes":{"stateDatabase":"CouchDB"}}}`, "state database"},
		{"another state database of one member", consortium, `{"spec":{"members":[{"name":"a","role":"Leader","peers":2,"nodes":{"stateDatabase":"CouchDB"}},{"name":"b"}]}}`, "state database"},
		{"a channel's rules", channel, `{"spec":{"endorsement":{"rule":"Any"}}}`, "declare another Channel"},
		{"a contract's channel", contract, `{"spec":{"channel":"elsewhere"}}`, "cannot move"},
		{"a peer more is fine", consortium, `{"spec":{"members":[{"name":"a","role":"Leader","peers":3},{"name":"b"}]}}`, ""},
		{"storage is fine", consortium, `{"spec":{"nodes":{"storage":{"size":"6Gi"}}}}`, ""},
		{"a contract's name on the ledger", contract, `{"spec":{"name":"other"}}`, "name on the ledger cannot change"},
		{"the same name written out is fine", contract, `{"spec":{"name":"fixed"}}`, ""},
		{"another version is fine", contract, `{"spec":{"version":"1.1"}}`, ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			err := admin.Patch(ctx, object(t, c.object, namespace), client.RawPatch("application/merge-patch+json", []byte(c.patch)))
			if c.says == "" {
				must(t, err)
			} else if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an Invalid error that says %q", err, c.says)
			}
		})
	}
}
