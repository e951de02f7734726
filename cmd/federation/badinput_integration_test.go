//go:build integration

package main

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Declarations that are valid except for the argument.
func consortiumWith(spec string) string {
	return "kind: Consortium\nmetadata: {name: c}\nspec: {members: [{name: a, role: Leader}, {name: b}], " + spec + "}"
}

func memberWith(fields string) string {
	return "kind: Consortium\nmetadata: {name: c}\nspec: {members: [{name: a, role: Leader, " + fields + "}, {name: b}]}"
}

func channelWith(spec string) string {
	return "kind: Channel\nmetadata: {name: ch}\nspec: {consortium: c, " + spec + "}"
}

func contractWith(spec string) string {
	return "kind: Contract\nmetadata: {name: notes}\nspec: {channel: ch, " + spec + "}"
}

func lineTo(address string) string {
	return fmt.Sprintf("kind: Line\nmetadata: {name: l}\nspec: {ends: [{member: a, address: 192.0.2.1}, {member: b, address: %q}]}", address)
}

func named(kind, name, spec string) string {
	return fmt.Sprintf("kind: %s\nmetadata: {name: %q}\nspec: %s", kind, name, spec)
}

const (
	sayDuration    = "number with its unit, such as 500ms, 2s or 1m30s"
	sayAmount      = "a unit such as 500m, 2, 64Mi or 10Gi"
	sayImage       = "not a valid image reference"
	saySAN         = "a certificate holds DNS names and IP addresses"
	sayUnreachable = "not reachable from other clusters"
)

// badInputs are invalid inputs, and what the API server must answer.
var badInputs = []struct{ why, object, says string }{
	// Units and amounts
	{"a time in words", channelWith("batch: {timeout: 2 seconds}"), sayDuration},
	{"a time without a unit, in quotes", channelWith("batch: {timeout: \"2\"}"), sayDuration},
	{"a time without a unit", channelWith("batch: {timeout: 2}"), "must be of type string"},
	{"a time in capitals", channelWith("batch: {timeout: 2S}"), sayDuration},
	{"a time with a blank", channelWith("batch: {timeout: 2 s}"), sayDuration},
	{"a time in days", channelWith("batch: {timeout: 1d}"), sayDuration},
	{"a time as ISO 8601 has it", channelWith("batch: {timeout: PT2S}"), sayDuration},
	{"a time of nothing", channelWith("batch: {timeout: 0s}"), "greater than 0"},
	{"a time before now", channelWith("batch: {timeout: -2s}"), sayDuration},
	{"a time of a thousand years", channelWith("batch: {timeout: 8765820h1h}"), sayDuration},
	{"an empty time", channelWith("batch: {timeout: \"\"}"), sayDuration},
	{"a size in small letters", channelWith("batch: {absoluteMaxBytes: 10mb}"), sayAmount},
	{"a size in MB", channelWith("batch: {absoluteMaxBytes: 10MB}"), sayAmount},
	{"a size with a blank", channelWith("batch: {absoluteMaxBytes: 10 Mi}"), sayAmount},
	{"a size with a comma", channelWith("batch: {absoluteMaxBytes: \"1,5Mi\"}"), sayAmount},
	{"a size beyond every number", channelWith("batch: {absoluteMaxBytes: \"1e99999999999999999999\"}"), sayAmount},
	{"a size that takes all memory to compare", channelWith("batch: {absoluteMaxBytes: \"1e2147483647\"}"), sayAmount},
	{"a size of nothing", channelWith("batch: {preferredMaxBytes: \"0\"}"), sayAmount},
	{"a size of nothing, as a number", channelWith("batch: {preferredMaxBytes: 0}"), "greater than or equal to 1"},
	{"a size less than nothing", channelWith("batch: {preferredMaxBytes: -1Mi}"), sayAmount},
	{"a block larger than any orderer hands on", channelWith("batch: {absoluteMaxBytes: 1Gi}"), "between 1Ki and 99Mi"},
	{"a block of ten bytes, where 10Mi was meant", channelWith("batch: {absoluteMaxBytes: 10}"), "between 1Ki and 99Mi"},
	{"preferred above absolute", channelWith("batch: {preferredMaxBytes: 8Mi, absoluteMaxBytes: 4Mi}"), "larger than batch.absoluteMaxBytes"},
	{"preferred above the default of absolute", channelWith("batch: {preferredMaxBytes: 20Mi}"), "larger than batch.absoluteMaxBytes"},
	{"no messages in a block", channelWith("batch: {maxMessages: 0}"), "greater than or equal to 1"},
	{"a half message", channelWith("batch: {maxMessages: 1.5}"), "must be of type integer"},
	{"more messages than an int32 holds", channelWith("batch: {maxMessages: 99999999999}"), "less than or equal to 100000"},
	{"a volume of five bytes", consortiumWith("nodes: {storage: {size: 5}}"), "add the unit, such as 5Gi"},
	{"a volume in small letters", consortiumWith("nodes: {storage: {size: 5gi}}"), sayAmount},
	{"a volume of -5Gi", consortiumWith("nodes: {storage: {size: -5Gi}}"), sayAmount},
	{"a volume of a thousandth", consortiumWith("nodes: {storage: {size: 500m}}"), "add the unit, such as 5Gi"},
	{"one member's volume in words", memberWith("nodes: {storage: {size: big}}"), sayAmount},
	// Resources
	{"requests above limits", contractWith("template: notary, resources: {requests: {cpu: 2}, limits: {cpu: 500m}}"), "larger than the limit"},
	{"requests above limits, in other units", contractWith("template: notary, resources: {requests: {memory: 1Gi}, limits: {memory: 1000Mi}}"), "larger than the limit"},
	{"a peer's requests above its limits", consortiumWith("nodes: {peerResources: {requests: {memory: 2Gi}, limits: {memory: 1Gi}}}"), "larger than the limit"},
	{"one member's orderer likewise", memberWith("nodes: {ordererResources: {requests: {cpu: \"1\"}, limits: {cpu: \"0.5\"}}}"), "larger than the limit"},
	{"negative resources", contractWith("template: notary, resources: {limits: {cpu: \"-1\"}}"), sayAmount},
	{"no processor at all", contractWith("template: notary, resources: {limits: {cpu: \"0\"}}"), sayAmount},
	{"512 bytes of memory", contractWith("template: notary, resources: {limits: {memory: 512}}"), "add the unit, such as 512Mi"},
	{"memory in milli-bytes", contractWith("template: notary, resources: {limits: {memory: 512m}}"), "add the unit, such as 512Mi"},
	{"memory in MB", contractWith("template: notary, resources: {limits: {memory: 512MB}}"), sayAmount},
	{"a resource that is none", contractWith("template: notary, resources: {limits: {cpus: 1}}"), "say cpu, memory or ephemeral-storage"},
	{"a resource in capitals", contractWith("template: notary, resources: {requests: {CPU: 1}}"), "say cpu, memory or ephemeral-storage"},
	{"resources without requests or limits above them", contractWith("template: notary, resources: {cpu: 1}"), "unknown field"},
	{"claims, as copied from a pod", contractWith("template: notary, resources: {claims: [{name: gpu}]}"), "unknown field"},
	// Log levels, and lines of Fabric
	{"a log level that there is not", consortiumWith("nodes: {peerLogLevel: verbose}"), "this is no log level"},
	{"a log level in capitals", consortiumWith("nodes: {ordererLogLevel: DEBUG}"), "this is no log level"},
	{"a logger without a level", consortiumWith("nodes: {peerLogLevel: \"info:gossip\"}"), "this is no log level"},
	{"loggers separated as in a list", memberWith("nodes: {peerLogLevel: \"info,gossip=debug;endorser=debug\"}"), "this is no log level"},
	{"a log level with a blank", consortiumWith("nodes: {peerLogLevel: \"info: gossip=debug\"}"), "this is no log level"},
	{"a line that is a release", consortiumWith("ledger: {fabric: {acceptedLine: \"3.2.0\"}}"), "a minor line of Fabric is two numbers"},
	{"a line as a number", consortiumWith("ledger: {fabric: {acceptedLine: 3.2}}"), "must be of type string"},
	// Plans
	{"a plan without a definition, and without what that has", named("MemberPlan", "c", "{member: a, consortium: c, consortiumNamespace: d, namespace: hanse-c}"), "a plan without a definition needs ledger and members"},
	{"a plan without a definition, and without members", named("MemberPlan", "c", "{member: a, consortium: c, consortiumNamespace: d, namespace: hanse-c, ledger: {type: Fabric}}"), "a plan without a definition needs ledger and members"},
	// Images
	{"an image with a scheme", contractWith("image: \"https://registry.example/notes:1\""), sayImage},
	{"an image in capitals", contractWith("image: \"registry.example/Notes:1\""), sayImage},
	{"an image with a blank", contractWith("image: \"notes 1\""), sayImage},
	{"an image with two tags", contractWith("image: \"notes:1:2\""), sayImage},
	{"an image with a digest cut short", contractWith("image: \"notes@sha256:abcd\""), sayImage},
	{"an image with an empty tag", contractWith("image: \"notes:\""), sayImage},
	{"an image in Cyrillic letters", contractWith("image: \"нотариус:1\""), sayImage},
	{"a peer's image that is a sentence", consortiumWith("ledger: {fabric: {peerImage: the newest one}}"), sayImage},
	{"an orderer's image with a scheme", consortiumWith("ledger: {fabric: {ordererImage: \"docker://hyperledger/fabric-orderer\"}}"), sayImage},
	{"CouchDB's image with a backslash", consortiumWith("ledger: {fabric: {couchDBImage: \"library\\\\couchdb\"}}"), sayImage},
	{"an image of a thousand letters", contractWith("image: " + strings.Repeat("a", 1000)), "more than 512 bytes"},
	// Names in certificates
	{"a URL", consortiumWith("nodes: {extraSANs: [\"https://peer.example.com\"]}"), saySAN},
	{"a name with a port", consortiumWith("nodes: {extraSANs: [\"peer.example.com:7051\"]}"), saySAN},
	{"a wildcard alone", consortiumWith("nodes: {extraSANs: [\"*\"]}"), saySAN},
	{"a wildcard of a whole top-level domain", consortiumWith("nodes: {extraSANs: [\"*.com\"]}"), saySAN},
	{"a wildcard inside", consortiumWith("nodes: {extraSANs: [\"peer.*.example.com\"]}"), saySAN},
	{"an address with a prefix length", consortiumWith("nodes: {extraSANs: [\"192.0.2.0/24\"]}"), saySAN},
	{"a mail address", consortiumWith("nodes: {extraSANs: [\"admin@example.com\"]}"), saySAN},
	{"another member's node", memberWith("nodes: {extraSANs: [peer0-b.hanse-c]}"), "given by Hanse itself"},
	{"another member's gateway", memberWith("nodes: {extraSANs: [gateway.b.hanse]}"), "given by Hanse itself"},
	{"another member's gateway, in capitals", memberWith("nodes: {extraSANs: [GATEWAY.B.HANSE]}"), "given by Hanse itself"},
	{"a Service of the cluster", memberWith("nodes: {extraSANs: [kubernetes.default.svc]}"), "given by Hanse itself"},
	{"a name twice", consortiumWith("nodes: {extraSANs: [a.example, a.example]}"), "Duplicate value"},
	{"an empty name", consortiumWith("nodes: {extraSANs: [\"\"]}"), "at least 1 chars"},
	// Lines
	{"a loopback address", lineTo("127.0.0.1"), sayUnreachable},
	{"another one", lineTo("127.8.8.8"), sayUnreachable},
	{"a loopback address in IPv6", lineTo("::1"), sayUnreachable},
	{"no address in IPv6", lineTo("::"), sayUnreachable},
	{"an IPv4-mapped IPv6 address", lineTo("::ffff:127.0.0.1"), sayUnreachable},
	{"the cloud's metadata", lineTo("169.254.169.254"), sayUnreachable},
	{"a link-local address in IPv6", lineTo("fe80::1"), sayUnreachable},
	{"a multicast address", lineTo("224.0.0.1"), sayUnreachable},
	{"everybody at once", lineTo("255.255.255.255"), sayUnreachable},
	{"localhost", lineTo("localhost"), sayUnreachable},
	{"localhost in capitals", lineTo("LOCALHOST"), sayUnreachable},
	{"a name below localhost", lineTo("gw.localhost"), sayUnreachable},
	{"a Service of the own cluster", lineTo("gateway.hanse-system.svc"), sayUnreachable},
	{"a URL as an address", lineTo("https://gw.b.example"), sayUnreachable},
	{"a range of addresses", lineTo("192.0.2.0/24"), sayUnreachable},
	{"a name with a blank", lineTo("gw b"), sayUnreachable},
	{"a name in other letters", lineTo("шлюз.example"), sayUnreachable},
	{"a port of nothing", "kind: Line\nmetadata: {name: l}\nspec: {ends: [{member: a, address: 192.0.2.1, port: 0}, {member: b, address: 192.0.2.2}]}", "greater than or equal to 1"},
	{"a port in quotes", "kind: Line\nmetadata: {name: l}\nspec: {ends: [{member: a, address: 192.0.2.1, port: \"7443\"}, {member: b, address: 192.0.2.2}]}", "must be of type integer"},
	{"a negative priority", "kind: Line\nmetadata: {name: l}\nspec: {priority: -1, ends: [{member: a, address: 192.0.2.1}, {member: b, address: 192.0.2.2}]}", "greater than or equal to 0"},
	{"ends as a map", "kind: Line\nmetadata: {name: l}\nspec: {ends: {a: 192.0.2.1, b: 192.0.2.2}}", "unknown field \"spec.ends.a\""},
	{"a line without a spec", "kind: Line\nmetadata: {name: l}", "Required value"},
	// Case, fields and kinds of others
	{"a role in small letters", "kind: Consortium\nmetadata: {name: c}\nspec: {members: [{name: a, role: leader}]}", "supported values: \"Leader\", \"Participant\""},
	{"a ledger in small letters", consortiumWith("ledger: {type: fabric}"), "supported values: \"Fabric\""},
	{"a rule in small letters", channelWith("endorsement: {rule: majority}"), "rule is Majority, All, Any or OutOf"},
	{"a template in capitals", contractWith("template: Notary"), "supported values"},
	{"a state database that there is not", consortiumWith("nodes: {stateDatabase: Postgres}"), "supported values"},
	{"a reclaim policy that there is not", consortiumWith("nodes: {storage: {reclaimPolicy: Recycle}}"), "supported values"},
	{"capabilities with dots", consortiumWith("ledger: {fabric: {capabilities: \"2.0\"}}"), "supported values"},
	{"a field with a typing mistake", consortiumWith("node: {stateDatabase: CouchDB}"), "unknown field \"spec.node\""},
	{"a field of another kind", channelWith("channel: deals"), "unknown field \"spec.channel\""},
	{"a field of a Deployment", contractWith("template: notary, containers: []"), "unknown field \"spec.containers\""},
	{"members as names alone", "kind: Consortium\nmetadata: {name: c}\nspec: {members: [a, b]}", "must be of type object"},
	{"members as one text", "kind: Consortium\nmetadata: {name: c}\nspec: {members: \"a,b\"}", "must be of type array"},
	{"members of a channel as objects", channelWith("members: [{name: a}]"), "unknown field \"spec.members[0].name\""},
	{"a number of peers in quotes", memberWith("peers: \"2\""), "must be of type integer"},
	{"too many peers", memberWith("peers: 1000"), "less than or equal to 32"},
	{"half a peer", memberWith("peers: 0.5"), "must be of type integer"},
	{"sixty-five members", "kind: Consortium\nmetadata: {name: c}\nspec: {members: [" + manyMembers(65) + "]}", "must have at most 64 items"},
	{"an empty spec", "kind: Consortium\nmetadata: {name: c}\nspec: {}", "Required value"},
	{"no spec", "kind: Channel\nmetadata: {name: ch}", "Required value"},
	{"an empty list of channel members", channelWith("members: []"), "at least 1 items"},
	{"a storage class with a blank", consortiumWith("nodes: {storage: {className: my disks}}"), "not a valid StorageClass name"},
	// Names
	{"a consortium in capitals", named("Consortium", "Trade", "{members: [{name: a, role: Leader}]}"), "lower case"},
	{"a consortium with an underscore", named("Consortium", "my_trade", "{members: [{name: a, role: Leader}]}"), "lower case"},
	{"a consortium in other letters", named("Consortium", "торговля", "{members: [{name: a, role: Leader}]}"), "lower case"},
	{"a consortium that begins as members' namespaces do", named("Consortium", "member-a", "{members: [{name: a, role: Leader}]}"), "member-…"},
	{"a consortium that begins as the namespaces for statements do", named("Consortium", "shared-trade", "{members: [{name: a, role: Leader}]}"), "shared-…"},
	{"a consortium called as those begin, and nothing else", named("Consortium", "shared-", "{members: [{name: a, role: Leader}]}"), "lower case"},
	{"a member with a blank", named("Member", "org 1", "{}"), "lower case"},
	{"a member that begins with a digit", named("Member", "1org", "{}"), "part of its nodes' names"},
	{"an organization's name of 200 letters", named("Member", "org", "{organization: "+strings.Repeat("o", 200)+"}"), "more than 128 bytes"},
	{"an invitation that ends at no time", named("Member", "org", "{invitation: x, invitationExpires: tomorrow}"), "write it as 2026-01-31T12:00:00Z"},
	{"an invitation that ends at a time in small letters", named("Member", "org", "{invitation: x, invitationExpires: \"2026-01-31t12:00:00z\"}"), "write it as 2026-01-31T12:00:00Z"},
	{"an invitation that ends in a leap second", named("Member", "org", "{invitation: x, invitationExpires: \"2016-12-31T23:59:60Z\"}"), "write it as 2026-01-31T12:00:00Z"},
	{"an invitation that ends on 30 February", named("Member", "org", "{invitation: x, invitationExpires: \"2026-02-30T00:00:00Z\"}"), "write it as 2026-01-31T12:00:00Z"},
	{"a version with a blank", contractWith("template: notary, version: \"1 0\""), "write one such as 1.0"},
	{"an empty version", contractWith("template: notary, version: \"\""), "write one such as 1.0"},
	{"a version as a number", contractWith("template: notary, version: 1.0"), "must be of type string"},
	{"a version of forty letters", contractWith("template: notary, version: " + strings.Repeat("v", 40)), "more than 32 bytes"},
	{"a count of nothing", channelWith("endorsement: {rule: OutOf, count: 0, members: [a]}"), "greater than or equal to 1"},
	{"an endorser twice", channelWith("endorsement: {rule: OutOf, count: 1, members: [a, a]}"), "Duplicate value"},
}

func manyMembers(n int) string {
	names := []string{"{name: m0, role: Leader}"}
	for i := 1; i < n; i++ {
		names = append(names, fmt.Sprintf("{name: m%d}", i))
	}
	return strings.Join(names, ", ")
}

// bareExpression is how the API server shows a rule that has no message.
const bareExpression = "should match '"

func TestBadInput(t *testing.T) {
	namespace := namespaced(t)
	if len(badInputs) < 100 {
		t.Errorf("%d inputs only", len(badInputs))
	}
	for _, c := range badInputs {
		t.Run(c.why, func(t *testing.T) {
			err := admin.Create(ctx, object(t, c.object, namespace), client.DryRunAll, client.FieldValidation(metav1.FieldValidationStrict))
			if (!apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err)) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want an error that says %q", err, c.says)
			}
			if strings.Contains(err.Error(), bareExpression) || strings.Contains(err.Error(), "no such overload") || strings.Contains(err.Error(), "rule evaluation error") {
				t.Errorf("a reader cannot tell from this what to write: %v", err)
			}
		})
	}
}

// contradictions are objects that are valid in themselves but contradict others. All are created in order, in one namespace.
var contradictions = []struct{ why, object, reason, says string }{
	{"members that do not exist", "kind: Consortium\nmetadata: {name: outsiders}\nspec: {members: [{name: nobody-1, role: Leader}, {name: nobody-2}]}", v1alpha1.ReasonNotFound, "there is no Member nobody-1, nobody-2"},
	{"a channel without its consortium", "kind: Channel\nmetadata: {name: alone}\nspec: {consortium: nowhere}", v1alpha1.ReasonNotFound, "there is no Consortium nowhere"},
	{"a channel with another than a member", "kind: Channel\nmetadata: {name: strange}\nspec: {consortium: untouched, members: [bad-a, nobody-1]}", v1alpha1.ReasonInvalid, "nobody-1 is not a member"},
	{"endorsement by others than members of the channel", "kind: Channel\nmetadata: {name: elsewhere}\nspec: {consortium: untouched, members: [bad-a], endorsement: {rule: OutOf, count: 1, members: [bad-a]}}", v1alpha1.ReasonAccepted, ""},
	{"a contract without its channel", "kind: Contract\nmetadata: {name: alone}\nspec: {channel: nowhere, template: notary}", v1alpha1.ReasonNotFound, "there is no Channel nowhere"},
	{"a contract on a channel that is not accepted", "kind: Contract\nmetadata: {name: strange}\nspec: {channel: strange, template: notary}", v1alpha1.ReasonInvalid, "its channel strange is not accepted"},
	{"endorsement by somebody who is not in the channel", "kind: Contract\nmetadata: {name: outside}\nspec: {channel: elsewhere, template: notary, endorsement: {rule: OutOf, count: 1, members: [bad-b]}}", v1alpha1.ReasonInvalid, "names bad-b, which is not in the channel"},
	{"a line to a Member that there is not", "kind: Line\nmetadata: {name: bad-1}\nspec: {ends: [{member: bad-a, address: 192.0.2.11}, {member: nobody-1, address: 192.0.2.12}]}", v1alpha1.ReasonNotFound, "there is no Member nobody-1"},
	{"a line", "kind: Line\nmetadata: {name: bad-2}\nspec: {ends: [{member: bad-a, address: 192.0.2.13}, {member: bad-b, address: \"2001:db8::1\"}]}", v1alpha1.ReasonAccepted, ""},
	{"a second one over the same addresses, the other way round", "kind: Line\nmetadata: {name: bad-3}\nspec: {ends: [{member: bad-b, address: \"2001:db8:0::1\"}, {member: bad-a, address: 192.0.2.13, port: 7443}]}", v1alpha1.ReasonAddressTaken, "line bad-2 has the same two addresses"},
	{"a third one, to another Member at the same address", "kind: Line\nmetadata: {name: bad-4}\nspec: {ends: [{member: bad-c, address: 192.0.2.13}, {member: bad-b, address: \"2001:db8::1\"}]}", v1alpha1.ReasonAddressTaken, "line bad-2 has the same two addresses"},
}

// TestContradictions: each object's condition says what is wrong with it, and a consortium beside all of them is not affected.
func TestContradictions(t *testing.T) {
	namespace := namespaced(t)
	for _, name := range []string{"bad-a", "bad-b", "bad-c"} {
		must(t, admin.Create(ctx, &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	}
	for _, text := range []string{
		"kind: Consortium\nmetadata: {name: untouched}\nspec: {members: [{name: bad-a, role: Leader}, {name: bad-b}]}",
		"kind: Channel\nmetadata: {name: untouched}\nspec: {consortium: untouched}",
		"kind: Contract\nmetadata: {name: untouched}\nspec: {channel: untouched, template: notary}",
	} {
		must(t, admin.Create(ctx, object(t, text, namespace)))
	}
	for _, c := range contradictions {
		u := object(t, c.object, namespace)
		must(t, admin.Create(ctx, u))
		eventually(t, c.why, func() error { return says(u, c.reason, c.says) })
	}
	// What was the second becomes the first.
	must(t, admin.Delete(ctx, object(t, "kind: Line\nmetadata: {name: bad-2}", namespace)))
	eventually(t, "the next of the lines is accepted", func() error {
		return says(object(t, "kind: Line\nmetadata: {name: bad-3}", namespace), v1alpha1.ReasonAccepted, "")
	})
	moved := object(t, "kind: Line\nmetadata: {name: bad-3}", namespace)
	err := admin.Patch(ctx, moved, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"ends":[{"member":"bad-c","address":"192.0.2.13"},{"member":"bad-b","address":"2001:db8::1"}]}}`)))
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "cannot move to other Members") {
		t.Errorf("a line is moved to another pair: %v", err)
	}
	fabric := object(t, "kind: Consortium\nmetadata: {name: untouched}", namespace)
	for _, field := range []string{`"capabilities":"V3_0"`, `"applicationCapabilities":"V2_0"`} {
		err = admin.Patch(ctx, fabric, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"ledger":{"fabric":{`+field+`}}}}`)))
		if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "would not affect existing channels") {
			t.Errorf("a change of %s: %v", field, err)
		}
	}
	for _, kind := range []string{"Consortium", "Channel", "Contract"} {
		must(t, says(object(t, "kind: "+kind+"\nmetadata: {name: untouched}", namespace), v1alpha1.ReasonAccepted, ""))
	}
	for _, member := range []string{"bad-a", "bad-b"} {
		eventually(t, "the plan of "+member, func() error {
			var plan v1alpha1.MemberPlan
			err := admin.Get(ctx, types.NamespacedName{Namespace: v1alpha1.MemberNamespace(member), Name: "untouched"}, &plan)
			if err == nil && (len(plan.Spec.Contracts) != 1 || plan.Spec.Channels[len(plan.Spec.Channels)-1].Name != "untouched") {
				err = fmt.Errorf("channels %v, contracts %v", plan.Spec.Channels, plan.Spec.Contracts)
			}
			return err
		})
	}
}

// says checks an object's condition Accepted.
func says(u *unstructured.Unstructured, reason, text string) error {
	c, err := accepted(u)
	if err != nil {
		return err
	}
	if c.Reason != reason || !strings.Contains(c.Message, text) {
		return fmt.Errorf("got %+v, want %s with %q", *c, reason, text)
	}
	return nil
}
