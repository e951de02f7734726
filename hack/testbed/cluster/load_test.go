package cluster

import (
	"reflect"
	"strings"
	"testing"
)

func TestNamesByDigest(t *testing.T) {
	one, two := "sha256:"+strings.Repeat("1", 64), "sha256:"+strings.Repeat("2", 64)
	row := func(reference, digest string) string {
		return reference + " application/json " + digest + " 5.9 MiB linux/amd64 -\n"
	}
	for _, c := range []struct {
		why, table string
		want       []imageNames
	}{
		{"an empty store", "REF TYPE DIGEST SIZE PLATFORMS LABELS\n", nil},
		{"an image by tag only", row("ghcr.io/a/b:1.0", one), []imageNames{{"ghcr.io/a/b:1.0", "ghcr.io/a/b@" + one}}},
		{"one that has both names", row("ghcr.io/a/b:1.0", one) + row("ghcr.io/a/b@"+one, one), nil},
		{"a tag that has moved", row("ghcr.io/a/b:1.0", two) + row("ghcr.io/a/b@"+one, one), []imageNames{{"ghcr.io/a/b:1.0", "ghcr.io/a/b@" + two}}},
		{"two tags of one image", row("ghcr.io/a/b:1", one) + row("ghcr.io/a/b:2", one), []imageNames{{"ghcr.io/a/b:1", "ghcr.io/a/b@" + one}}},
		{"a registry's port is no tag", row("registry:5000/b", one), nil},
		{"a port and a tag", row("registry:5000/b:1", one), []imageNames{{"registry:5000/b:1", "registry:5000/b@" + one}}},
		{"an image by its configuration's digest", row(one, one), nil},
	} {
		t.Run(c.why, func(t *testing.T) {
			if got := namesByDigest(c.table); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
