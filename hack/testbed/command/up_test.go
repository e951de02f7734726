package command

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/testbed/project"
)

func TestSpec(t *testing.T) {
	root := t.TempDir()
	text := "name: trade\nclusters: {hub: centre, member: site}\nallow: [{port: 1, nodePort: 2, clusters: [centre]}]\n"
	if err := os.WriteFile(filepath.Join(root, project.File), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(project.RootVariable, root)
	t.Chdir(root)
	tests := []struct {
		why     string
		name    string
		members int
		want    string
	}{
		{"names and ports come from the file, kubeconfigs go to the working directory", "trade", 2,
			"trade .testbed [centre site1 site2] [{site1 centre 0} {site1 site2 1} {site2 centre 0}] [{1 2 [centre]}]"},
		{"another testbed's kubeconfigs go elsewhere", "two", 0, "two .testbed-two [centre] [] [{1 2 [centre]}]"},
		{"fewer than none", "trade", -1, ""},
		{"more than names have room for", "trade", 100, ""},
	}
	for _, tt := range tests {
		o := &options{name: tt.name, defaultName: "trade"}
		s, err := o.spec(tt.members, 1)
		got := fmt.Sprint(s.Name, " ", filepath.Base(s.Dir), " ", s.Clusters, " ", s.Links, " ", s.Allow)
		if (err == nil) != (tt.want != "") || err == nil && got != tt.want {
			t.Errorf("%s: %s %v", tt.why, got, err)
		}
	}
}

// What the command offers is used by other people's scripts.
func TestCommands(t *testing.T) {
	root := Root()
	for _, path := range []string{"up", "down", "status", "load", "kill", "start", "exec", "address", "line list", "line add",
		"line cut", "line restore", "line slow", "line delay", "parts", "images", "assets", "manifests"} {
		found, rest, err := root.Find(strings.Fields(path))
		if err != nil || len(rest) > 0 || found == root {
			t.Errorf("testbed %s: %v %v", path, rest, err)
		}
	}
}
