package version

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/version"
)

// Report is what `kubectl hanse version -o json` prints.
type Report struct {
	// Client is the plugin itself.
	Client Program `json:"client"`
	// Kubernetes is the version of the cluster that was asked.
	Kubernetes string `json:"kubernetes,omitempty"`
	// Federation is the host's controller; only on a host.
	Federation *Program `json:"federation,omitempty"`
	// Agents are the Members' agents as each reports itself to the host, or the one in an organization's own cluster.
	Agents []Agent `json:"agents,omitempty"`
	// Skew says of programs that their versions are too far apart; none if they go together.
	Skew []string `json:"skew,omitempty"`
	// Unknown says what could not be learnt, and why.
	Unknown []string `json:"unknown,omitempty"`
}

// Program is one program of Hanse's.
type Program struct {
	// Version is empty where it is not known.
	Version string `json:"version"`
	// Platform that it was built for; of the plugin only.
	Platform string `json:"platform,omitempty"`
}

// Agent is one organization's agent.
type Agent struct {
	Member  string `json:"member"`
	Version string `json:"version"`
	// Kubernetes is the version of the organization's cluster.
	Kubernetes string `json:"kubernetes,omitempty"`
	// Online is whether it is in contact; else the versions are the last that are known.
	Online bool `json:"online"`
}

// skews compares those programs that talk to each other. Pure.
func skews(r Report) []string {
	type pair struct{ name, version, other, otherVersion string }
	var pairs []pair
	if r.Federation != nil {
		pairs = append(pairs, pair{"this plugin", r.Client.Version, "the host's controller", r.Federation.Version})
	}
	for _, a := range r.Agents {
		name := "the agent"
		if a.Member != "" {
			name = "the agent of " + a.Member
		}
		if r.Federation != nil && r.Federation.Version != "" {
			pairs = append(pairs, pair{name, a.Version, "the host's controller", r.Federation.Version})
			continue
		}
		pairs = append(pairs, pair{"this plugin", r.Client.Version, name, a.Version})
	}
	var found []string
	for _, p := range pairs {
		if apart(p.version, p.otherVersion) {
			found = append(found, fmt.Sprintf("%s is %s and %s is %s: more than one minor version apart; upgrade the older one", p.name, p.version, p.other, p.otherVersion))
		}
	}
	return found
}

// apart is whether two versions are more than one minor version apart. Of one that is not known or no version, nothing is
// said. Pure.
func apart(a, b string) bool {
	first, err := version.ParseGeneric(a)
	if err != nil {
		return false
	}
	second, err := version.ParseGeneric(b)
	if err != nil {
		return false
	}
	if first.Major() != second.Major() {
		return true
	}
	return max(first.Minor(), second.Minor())-min(first.Minor(), second.Minor()) > 1
}

// newer is whether a version is known, and higher than another that may not be. Pure.
func newer(a, b string) bool {
	if a == "" || b == "" {
		return a != ""
	}
	first, err := version.ParseGeneric(a)
	if err != nil {
		return false
	}
	second, err := version.ParseGeneric(b)
	return err != nil || second.LessThan(first)
}
