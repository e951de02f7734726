package plan

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// org declares a member with some peers and orderers. The first one of a consortium is made its Leader.
func org(name string, peers, orderers int32) v1alpha1.ConsortiumMember {
	return v1alpha1.ConsortiumMember{Name: name, Role: v1alpha1.RoleParticipant, Peers: ptr.To(peers), Orderers: ptr.To(orderers)}
}

// input is a consortium named trade among existing members that are connected by lines, with one channel and contract.
func input(members ...v1alpha1.ConsortiumMember) Input {
	members[0].Role = v1alpha1.RoleLeader
	in := Input{
		Consortium: &v1alpha1.Consortium{
			ObjectMeta: metav1.ObjectMeta{Namespace: "tenant", Name: "trade", CreationTimestamp: metav1.NewTime(epoch)},
			Spec:       v1alpha1.ConsortiumSpec{Members: members},
		},
		Planner: planner.Planner{},
		Members: map[string]*v1alpha1.Member{},
		Plans:   map[string]*v1alpha1.MemberPlan{},
	}
	for i, m := range members {
		in.Members[m.Name] = &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: m.Name}, Status: v1alpha1.MemberStatus{Root: "root of " + m.Name}}
		for _, other := range members[:i] {
			in.Lines = append(in.Lines, v1alpha1.Line{
				ObjectMeta: metav1.ObjectMeta{Name: other.Name + "-" + m.Name},
				Spec: v1alpha1.LineSpec{Priority: 100, Ends: []v1alpha1.LineEnd{
					{Member: other.Name, Address: "gw." + other.Name}, {Member: m.Name, Address: "gw." + m.Name, Port: 443},
				}},
			})
		}
	}
	in.Channels = []v1alpha1.Channel{channel("deals")}
	in.Contracts = []v1alpha1.Contract{contract("notary", "deals")}
	return in
}

func channel(name string, members ...string) v1alpha1.Channel {
	return v1alpha1.Channel{
		ObjectMeta: metav1.ObjectMeta{Namespace: "tenant", Name: name},
		Spec:       v1alpha1.ChannelSpec{Consortium: "trade", Members: members},
	}
}

func contract(name, channel string) v1alpha1.Contract {
	return v1alpha1.Contract{
		ObjectMeta: metav1.ObjectMeta{Namespace: "tenant", Name: name, CreationTimestamp: metav1.NewTime(epoch)},
		Spec:       v1alpha1.ContractSpec{Channel: channel, Template: v1alpha1.TemplateNotary, Version: "1.0"},
	}
}

// writePlans writes the computed plans to the input, as the API server would store them.
func writePlans(in Input) Input {
	for member, spec := range Compute(in).Plans {
		p := in.Plans[member]
		if p == nil {
			p = &v1alpha1.MemberPlan{}
			in.Plans[member] = p
		}
		p.Spec = *spec.DeepCopy()
	}
	return in
}

// committed lets members report the sequence that a contract of their plans has on their ledgers.
func committed(in Input, name, channel string, sequences ...int64) {
	reported(in, name, channel, "", sequences...)
}

// reported is the same, with how the definition on the ledger differs from the plan.
func reported(in Input, name, channel, differs string, sequences ...int64) {
	for i, m := range in.Consortium.Spec.Members {
		if i >= len(sequences) || in.Plans[m.Name] == nil {
			continue
		}
		report := v1alpha1.PlanContractStatus{Name: name, Channel: channel, Committed: sequences[i], Differs: differs}
		for _, c := range in.Plans[m.Name].Spec.Contracts {
			if c.Name == name && c.Channel == channel {
				report.Definition = c.DefinitionHash()
			}
		}
		in.Plans[m.Name].Status.Contracts = []v1alpha1.PlanContractStatus{report}
	}
}

func names[T any](list []T, name func(T) string) string {
	text := make([]string, 0, len(list))
	for _, item := range list {
		text = append(text, name(item))
	}
	return fmt.Sprint(text)
}
