package version

import (
	"strings"
	"testing"
)

func TestApart(t *testing.T) {
	for _, row := range []struct {
		why, a, b string
		want      bool
	}{
		{"the same", "0.1.0", "0.1.0", false},
		{"one minor version", "0.2.0", "0.1.9", false},
		{"two minor versions", "0.3.0", "0.1.0", true},
		{"two minor versions, the other way around", "0.1.0", "0.3.0", true},
		{"another major version", "1.0.0", "0.9.0", true},
		{"a candidate with a v", "v0.3.0-rc.1", "0.1.0", true},
		{"patches do not count", "0.1.0", "0.1.99", false},
		{"one that is not known says nothing", "", "0.3.0", false},
		{"nor does a build without a version", "devel", "0.3.0", false},
	} {
		if got := apart(row.a, row.b); got != row.want {
			t.Errorf("%s: %s and %s: %v, want %v", row.why, row.a, row.b, got, row.want)
		}
	}
}

func TestSkews(t *testing.T) {
	for _, row := range []struct {
		why    string
		report Report
		want   []string
	}{
		{"all of one version", Report{Client: Program{Version: "0.1.0"}, Federation: &Program{Version: "0.1.0"}, Agents: []Agent{{Member: "org1", Version: "0.1.0"}}}, nil},
		{"a plugin that is too old for the host", Report{Client: Program{Version: "0.1.0"}, Federation: &Program{Version: "0.3.0"}, Agents: []Agent{{Member: "org1", Version: "0.3.0"}}},
			[]string{"this plugin is 0.1.0 and the host's controller is 0.3.0"}},
		{"an agent that is too old for the host", Report{Client: Program{Version: "0.3.0"}, Federation: &Program{Version: "0.3.0"},
			Agents: []Agent{{Member: "org1", Version: "0.1.0"}, {Member: "org2", Version: "0.2.0"}}}, []string{"the agent of org1 is 0.1.0 and the host's controller is 0.3.0"}},
		{"the plugin and the agent of its own cluster", Report{Client: Program{Version: "0.3.0"}, Agents: []Agent{{Version: "0.1.0"}}}, []string{"this plugin is 0.3.0 and the agent is 0.1.0"}},
		{"a host whose version is not known", Report{Client: Program{Version: "0.3.0"}, Federation: &Program{}, Agents: []Agent{{Member: "org1", Version: "0.1.0"}}},
			[]string{"this plugin is 0.3.0 and the agent of org1 is 0.1.0"}},
	} {
		got := skews(row.report)
		if len(got) != len(row.want) {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i], row.want[i]) {
				t.Errorf("%s: %q, want %q", row.why, got, row.want)
			}
		}
	}
}

func TestNewer(t *testing.T) {
	for _, row := range []struct {
		why, a, b string
		want      bool
	}{
		{"anything is newer than nothing", "0.1.0", "", true}, {"nothing is not", "", "0.1.0", false},
		{"by number, not by letter", "0.10.0", "0.9.0", true}, {"an older one", "0.1.0", "0.2.0", false},
		{"a version is better than none", "0.1.0", "devel", true}, {"what is no version is not", "devel", "0.1.0", false},
	} {
		if got := newer(row.a, row.b); got != row.want {
			t.Errorf("%s: %v", row.why, got)
		}
	}
}
