package fabric

import (
	"maps"
	"slices"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"
)

// differs is the path of the first difference between two groups of a configuration, such as
// "Channel.Application.org2MSP.MSP"; empty if there is none. It descends only as deep as the wanted group does.
func differs(path string, want, got *common.ConfigGroup) string {
	if key := differsIn(want.GetValues(), got.GetValues()); key != "" {
		return path + "." + key
	}
	if key := differsIn(want.GetPolicies(), got.GetPolicies()); key != "" {
		return path + ".policies." + key
	}
	for _, key := range keys(want.GetGroups(), got.GetGroups()) {
		wanted, given := want.GetGroups()[key], got.GetGroups()[key]
		if wanted == nil || given == nil {
			return path + "." + key
		}
		if deeper := differs(path+"."+key, wanted, given); deeper != "" {
			return deeper
		}
	}
	if !proto.Equal(want, got) {
		return path
	}
	return ""
}

func differsIn[M proto.Message](want, got map[string]M) string {
	for _, key := range keys(want, got) {
		wanted, inWant := want[key]
		given, inGot := got[key]
		if !inWant || !inGot || !proto.Equal(wanted, given) {
			return key
		}
	}
	return ""
}

func keys[V any](a, b map[string]V) []string {
	all := map[string]bool{}
	for key := range a {
		all[key] = true
	}
	for key := range b {
		all[key] = true
	}
	return slices.Sorted(maps.Keys(all))
}
