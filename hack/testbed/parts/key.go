package parts

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/hanse-io/hanse/hack/testbed/project"
)

// ownVersion stands in the names of our own programs, which are told apart by their hash alone.
const ownVersion = "own"

// recipe is everything that decides what comes out of a build.
type recipe struct {
	project.Part
	root      string // the clone
	version   string
	ldflags   string
	toolchain string
}

// newRecipe reads the version from the part's go.mod, and asks which Go compiler builds in the part's own module: no other
// module of the clone may decide that.
func newRecipe(root string, p project.Part, toolchain func(dir string) (string, error)) (recipe, error) {
	dir := filepath.Join(root, p.Go)
	compiler, err := toolchain(dir)
	if err != nil {
		return recipe{}, err
	}
	r := recipe{Part: p, root: root, version: ownVersion, ldflags: "-s -w", toolchain: compiler}
	if p.Version == "" {
		return r, nil
	}
	path := filepath.Join(dir, "go.mod")
	data, err := os.ReadFile(path)
	if err != nil {
		return recipe{}, err
	}
	if r.version, err = required(data, p.Version); err != nil {
		return recipe{}, fmt.Errorf("%s: %w", path, err)
	}
	if p.LDFlags != "" {
		r.ldflags += " " + expand(p.LDFlags, r.version)
	}
	return r, nil
}

func required(gomod []byte, module string) (string, error) {
	file, err := modfile.ParseLax("go.mod", gomod, nil)
	if err != nil {
		return "", err
	}
	for _, r := range file.Require {
		if r.Mod.Path == module {
			return r.Mod.Version, nil
		}
	}
	return "", fmt.Errorf("it does not require %s", module)
}

// pkg is the package to build.
func (r recipe) pkg() string { return cmp.Or(r.Package, ".") }

// key names the recipe's entry in the cache: <name>-<version>-<hash of all that decides the outcome>.
func (r recipe) key() (string, error) {
	hash := sha256.New()
	fmt.Fprintf(hash, "%q %q %q %q %q\n", r.Name, r.pkg(), r.ldflags, r.toolchain, r.Programs)
	if r.Tags != "" {
		fmt.Fprintf(hash, "%q\n", r.Tags)
	}
	dir := filepath.Join(r.root, r.Go)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !isSource(entry.Name()) {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		fmt.Fprintf(hash, "%q %x\n", relative, sha256.Sum256(data))
		return err
	})
	if err != nil {
		return "", err
	}
	version := strings.NewReplacer("/", "_", "+", "_").Replace(r.version)
	return fmt.Sprintf("%s-%s-%s", r.Name, version, hex.EncodeToString(hash.Sum(nil))[:12]), nil
}

func isSource(name string) bool {
	return name == "go.mod" || name == "go.sum" || strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go")
}
