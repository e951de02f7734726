//go:build integration

package main

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

// settingPatches are, for each setting, patches that the API server takes and patches that it rejects.
var settingPatches = map[string]struct{ takes, rejects []string }{
	"ledger.type":                           {nil, nil}, // there is one type only, and so no other to change to
	"members[].name":                        {nil, []string{`[{"op":"replace","path":"/spec/members/1/name","value":"other"}]`, `[{"op":"remove","path":"/spec/members/1"}]`}},
	"members[].role":                        {nil, []string{`[{"op":"replace","path":"/spec/members/0/role","value":"Participant"},{"op":"replace","path":"/spec/members/1/role","value":"Leader"}]`}},
	"members[].peers":                       {[]string{`[{"op":"replace","path":"/spec/members/1/peers","value":3}]`}, []string{`[{"op":"replace","path":"/spec/members/1/peers","value":0}]`}},
	"members[].orderers":                    {nil, []string{`[{"op":"replace","path":"/spec/members/1/orderers","value":2}]`, `[{"op":"replace","path":"/spec/members/1/orderers","value":0}]`}},
	"nodes.storage.size":                    {[]string{allNodes(`{"storage":{"size":"20Gi"}}`), ownNodes(`{"storage":{"size":"20Gi"}}`)}, []string{allNodes(`{"storage":{"size":"9Gi"}}`), ownNodes(`{"storage":{"size":"9Gi"}}`), `[{"op":"remove","path":"/spec/nodes/storage"}]`}},
	"nodes.storage.className":               {[]string{allNodes(`{"storage":{"className":"fast","size":"10Gi"}}`)}, nil},
	"nodes.storage.reclaimPolicy":           {[]string{allNodes(`{"storage":{"reclaimPolicy":"Delete","size":"10Gi"}}`)}, nil},
	"nodes.peerResources":                   {[]string{both(`{"peerResources":{"limits":{"memory":"1Gi"}}}`), ownNodes(`{"peerResources":{"limits":{"memory":"1Gi"}}}`)}, nil},
	"nodes.ordererResources":                {[]string{both(`{"ordererResources":{"requests":{"cpu":"1"}}}`)}, nil},
	"nodes.peerLogLevel":                    {[]string{both(`{"peerLogLevel":"info:gossip=warning:endorser,chaincode=debug"}`), ownNodes(`{"peerLogLevel":""}`)}, nil},
	"nodes.ordererLogLevel":                 {[]string{both(`{"ordererLogLevel":"info:orderer.consensus.etcdraft=debug"}`)}, nil},
	"nodes.stateDatabase":                   {nil, []string{both(`{"stateDatabase":"CouchDB"}`), ownNodes(`{"stateDatabase":"CouchDB"}`)}},
	"nodes.extraSANs":                       {[]string{both(`{"extraSANs":["peers.example.com"]}`)}, nil},
	"progressDeadlineSeconds":               {[]string{`[{"op":"add","path":"/spec/progressDeadlineSeconds","value":60}]`}, nil},
	"ledger.fabric.peerImage":               {withinLine("peerImage", "registry.example:5000/fabric-peer"), acrossLines("peerImage", "registry.example:5000/fabric-peer")},
	"ledger.fabric.ordererImage":            {withinLine("ordererImage", "docker.io/hyperledger/fabric-orderer"), acrossLines("ordererImage", "docker.io/hyperledger/fabric-orderer")},
	"ledger.fabric.couchDBImage":            {[]string{withFabric(`"couchDBImage":"docker.io/library/couchdb:3.5"`)}, nil},
	"ledger.fabric.acceptedLine":            {[]string{withFabric(`"acceptedLine":"3.2"`)}, nil},
	"ledger.fabric.capabilities":            {nil, []string{withFabric(`"capabilities":"V3_0"`)}},
	"ledger.fabric.applicationCapabilities": {nil, []string{withFabric(`"applicationCapabilities":"V2_0"`)}},
}

func allNodes(value string) string {
	return fmt.Sprintf(`[{"op":"add","path":"/spec/nodes","value":%s}]`, value)
}

// both leaves the size as it is.
func both(value string) string { return allNodes(`{"storage":{"size":"10Gi"},` + value[1:]) }

func ownNodes(value string) string {
	return fmt.Sprintf(`[{"op":"add","path":"/spec/members/1/nodes","value":%s}]`, value)
}

func withFabric(fields string) string {
	return fmt.Sprintf(`[{"op":"add","path":"/spec/ledger/fabric","value":{%s}}]`, fields)
}

// withinLine are those of the line of the default, and those that say nothing of one.
func withinLine(field, name string) []string {
	digest := "@sha256:" + strings.Repeat("a", 64)
	return []string{
		withFabric(fmt.Sprintf(`%q:"%s:3.1.5"`, field, name)), withFabric(fmt.Sprintf(`%q:"%s:3.1.3-alpine"`, field, name)), withFabric(fmt.Sprintf(`%q:"%s:3.1"`, field, name)),
		withFabric(fmt.Sprintf(`%q:"%s%s"`, field, name, digest)), withFabric(fmt.Sprintf(`%q:"%s:3.1.4%s"`, field, name, digest)), withFabric(fmt.Sprintf(`%q:"%s:latest"`, field, name)),
		withFabric(fmt.Sprintf(`%q:"%s:3.2.0","acceptedLine":"3.2"`, field, name)), withFabric(fmt.Sprintf(`%q:"%s:2.5.9","acceptedLine":"2.5"`, field, name)),
	}
}

// acrossLines are those of another line.
func acrossLines(field, name string) []string {
	return []string{
		withFabric(fmt.Sprintf(`%q:"%s:3.2.0"`, field, name)), withFabric(fmt.Sprintf(`%q:"%s:2.5.9"`, field, name)), withFabric(fmt.Sprintf(`%q:"%s:3.10.0"`, field, name)),
		withFabric(fmt.Sprintf(`%q:"%s:3.2.0@sha256:%s"`, field, name, strings.Repeat("a", 64))), withFabric(fmt.Sprintf(`%q:"%s:3.2.0","acceptedLine":"3.3"`, field, name)),
	}
}

// TestSettings asks a real API server about each row of docs/settings.md, and rolls one out.
func TestSettings(t *testing.T) {
	const name = "settings"
	namespace := namespaced(t)
	for _, member := range []string{"set1", "set2"} {
		joined(t, member).carryOut(t, name, func(p *v1alpha1.MemberPlan) {
			startNodes(p)
			p.Status.ObservedGeneration = p.Generation
		})
	}
	declare(t, namespace, "kind: Consortium\nmetadata: {name: settings}\nspec: {nodes: {storage: {size: 10Gi}}, members: [{name: set1, role: Leader}, {name: set2}]}")
	consortium := &v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	eventually(t, "the volumes' sizes", func() error {
		if err := admin.Get(ctx, client.ObjectKeyFromObject(consortium), consortium); err != nil {
			return err
		}
		for _, m := range consortium.Status.Members {
			if m.VolumeSize == nil || m.VolumeSize.String() != "10Gi" {
				return fmt.Errorf("%s has volumes of %v", m.Name, m.VolumeSize)
			}
		}
		if len(consortium.Status.Members) != 2 {
			return fmt.Errorf("%d members", len(consortium.Status.Members))
		}
		return nil
	})
	for _, setting := range (planner.Planner{}).Settings() {
		patches, known := settingPatches[setting.Path]
		if !known {
			t.Errorf("%s is not tried: add patches to settingPatches", setting.Path)
			continue
		}
		if setting.Effect != ledger.EffectFixed && len(patches.takes) == 0 || setting.Path != "ledger.type" && setting.Rejected != "" && len(patches.rejects) == 0 {
			t.Errorf("%s: too few patches for %s", setting.Path, setting.Effect)
		}
		for _, patch := range patches.takes {
			if err := tryPatch(consortium, patch); err != nil {
				t.Errorf("%s (%s) with %s: %v", setting.Path, setting.Effect, patch, err)
			}
		}
		for _, patch := range patches.rejects {
			if err := tryPatch(consortium, patch); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), setting.Rejected) {
				t.Errorf("%s (%s) with %s: got %v, want %q", setting.Path, setting.Effect, patch, err, setting.Rejected)
			}
		}
	}
	must(t, admin.Patch(ctx, consortium.DeepCopy(), client.RawPatch(types.JSONPatchType, []byte(both(`{"peerLogLevel":"debug"}`)))))
	eventually(t, "the peers have it", func() error {
		for _, member := range []string{"set1", "set2"} {
			p := planOf(member, name)
			if err := admin.Get(ctx, client.ObjectKeyFromObject(p), p); err != nil {
				return err
			}
			for _, n := range p.Spec.Nodes {
				if want := n.Role == v1alpha1.RolePeer; (n.LogLevel == "debug") != want {
					return fmt.Errorf("%s has log level %q", n.Name, n.LogLevel)
				}
			}
		}
		return rolledOut(consortium, metav1.ConditionTrue, v1alpha1.ReasonReady, nil)
	})
}

func tryPatch(consortium *v1alpha1.Consortium, patch string) error {
	return admin.Patch(ctx, consortium.DeepCopy(), client.RawPatch(types.JSONPatchType, []byte(patch)), client.DryRunAll)
}
