package check

import (
	"context"

	"github.com/hanse-io/hanse/kubectl-hanse/kube"
)

// rule is one check of what is installed: pure, over facts that have to be there.
type rule struct {
	name  string
	needs []string
	// host and member are where it counts.
	host, member bool
	run          func(Facts) []Result
}

var rules = []rule{
	{"components", []string{deployments}, true, true, components},
	{"CRDs", []string{crds}, true, true, customResources},
	{"pods", []string{pods}, true, true, podsRun},
	{"values that can be read", []string{consortia, channels, contracts, lines, members, plans}, true, true, decodable},
	{"members", []string{members}, true, false, membersOnline},
	{"invitations", []string{members}, true, false, invitations},
	{"leases of agents", []string{members, leases}, true, false, leasesFresh},
	{"credentials of agents", []string{members}, true, false, credentialsIssued},
	{"lines", []string{lines}, true, false, linesUp},
	{"consortia", []string{consortia, channels, contracts}, true, false, declared},
	{"plans", []string{plans}, false, true, plansDone},
	{"lines of this cluster", []string{plans}, false, true, ownLines},
	{"nodes", []string{statefulSets}, false, true, nodesRun},
	{"volumes", []string{volumes}, false, true, volumesBound},
	{"certificates", []string{certificates}, false, true, certificatesLast},
	{"credential on the host", []string{credential}, false, true, credentialLasts},
	{"network policies", []string{namespaces, networkPolicies, deployments}, false, true, policies},
}

// Evaluate is what the facts mean. Pure.
func Evaluate(f Facts) Report {
	var results []Result
	for _, r := range rules {
		if (!r.host || !f.Host) && (!r.member || !f.Member) {
			continue
		}
		found := r.missing(f)
		if found == nil {
			found = r.run(f)
		}
		for _, result := range found {
			result.Check = r.name
			results = append(results, result)
		}
	}
	return NewReport(results)
}

func (r rule) missing(f Facts) []Result {
	for _, need := range r.needs {
		if err := f.Unread[need]; err != nil {
			return []Result{unread(need, err)}
		}
	}
	return nil
}

// Installed checks what is installed in a cluster, with the release in a namespace. version is the plugin's.
func Installed(ctx context.Context, cluster *kube.Cluster, namespace, version string) (Report, error) {
	facts, err := collect(ctx, cluster, namespace, version)
	if err != nil {
		return Report{}, err
	}
	return Evaluate(facts), nil
}
