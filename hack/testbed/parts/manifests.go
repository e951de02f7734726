package parts

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hanse-io/hanse/hack/testbed/project"
)

const (
	certManagerDir    = "hack/parts/certmanager"
	certManagerModule = "github.com/cert-manager/cert-manager"
)

// CertManagerManifests are the CRDs of the pinned cert-manager, out of its own module, and the Deployment with all that
// it needs, as one YAML stream. ACME's CRDs are left out: no controller for them is built in.
func CertManagerManifests(ctx context.Context) ([]byte, error) {
	root, err := project.Root()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, certManagerDir)
	module, err := ModuleDir(ctx, dir, certManagerModule)
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(module, "deploy", "crds", "cert-manager.io_*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no deploy/crds: has cert-manager moved them?", module)
	}
	var stream bytes.Buffer
	for _, file := range append(files, filepath.Join(dir, "deploy", "cert-manager.yaml")) {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&stream, "---\n%s\n", bytes.TrimPrefix(bytes.TrimSpace(data), []byte("---\n")))
	}
	return stream.Bytes(), nil
}

// ModuleDir is where the sources of a module are that the module in dir requires; they are downloaded if need be.
func ModuleDir(ctx context.Context, dir, module string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot download %s: %w\n%s", module, err, output)
	}
	cmd = exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module)
	cmd.Dir = dir
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("cannot find %s in %s: %w", module, dir, err)
	}
	return strings.TrimSpace(string(output)), nil
}
