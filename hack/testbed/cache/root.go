package cache

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

const (
	// RootVariable names the environment variable that says where the clone is.
	RootVariable = "HANSE_ROOT"
	module       = "github.com/hanse-io/hanse"
)

// Root is the clone's top directory: the value of HANSE_ROOT, or the nearest one above the working directory.
func Root() (string, error) {
	if root := os.Getenv(RootVariable); root != "" {
		if !isRoot(root) {
			return "", fmt.Errorf("%s=%s holds no go.mod of %s", RootVariable, root, module)
		}
		return filepath.Abs(root)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for !isRoot(dir) {
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("run this inside a clone of %s, or set %s to one", module, RootVariable)
		}
		dir = parent
	}
	return dir, nil
}

func isRoot(dir string) bool {
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && modfile.ModulePath(data) == module
}
