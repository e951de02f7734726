package completion

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/hanse-io/hanse/kubectl-hanse/kube"
)

func TestMatching(t *testing.T) {
	for _, row := range []struct {
		why, begun string
		all, want  []string
	}{
		{"nothing begun is everything, sorted and once", "", []string{"trade", "fish", "trade"}, []string{"fish", "trade"}},
		{"what does not begin so is left out", "tr", []string{"trade", "fish"}, []string{"trade"}},
		{"a description is no part of the name", "First", []string{"org1\tFirst Ltd"}, nil},
		{"nothing there", "x", nil, nil},
	} {
		if got := matching(row.all, row.begun); !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
		}
	}
}

// TestDeadCluster: a server that takes connections and never answers holds no shell up.
func TestDeadCluster(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := `{"apiVersion":"v1","kind":"Config","current-context":"c","contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],
"clusters":[{"name":"c","cluster":{"server":"https://` + silent.Addr().String() + `"}}],"users":[{"name":"u","user":{"token":"t"}}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := kube.Flags()
	flags.KubeConfig = &file
	start := time.Now()
	found, directive := Consortia(flags, false)(&cobra.Command{}, nil, "")
	if len(found) > 0 || directive != cobra.ShellCompDirectiveNoFileComp {
		t.Errorf("%q, %v: nothing is known, and files are no answer", found, directive)
	}
	if took := time.Since(start); took > patience+10*time.Second {
		t.Errorf("it took %s", took)
	}
}
