package harness

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// previousCommit is the commit of the version before this one, from which upgrades are tested. It changes with every release.
//
//go:embed previous
var previousCommit string

// UsePrevious has Up install the version before, with its own charts and images, for UpgradeHost and UpgradeMember to bring
// it to the current one. Where the clone is too shallow to have that version's commit, or is no clone but a copy of the files,
// and the commit cannot be fetched either, Up goes on to install the current version; elsewhere that is an error.
func (h *Harness) UsePrevious(ctx context.Context) error {
	return h.usePrevious(ctx, strings.TrimSpace(previousCommit))
}

func (h *Harness) usePrevious(ctx context.Context, commit string) error {
	if err := h.fetchCommit(ctx, commit); err != nil {
		if !h.hasHistory(ctx) {
			fmt.Fprintf(h.Out, "── NO UPGRADE: this copy does not have the version before, commit %s, and it cannot be fetched: git fetch --unshallow\n   %v\n", commit, err)
			return nil
		}
		return fmt.Errorf("the version before, hack/harness/previous, is no commit of this clone: %w", err)
	}
	tree, err := h.extract(ctx, commit)
	if err != nil {
		return fmt.Errorf("extract the version before: %w", err)
	}
	h.previous = tree
	return nil
}

// Previous says whether Up installs, or has installed, the version before.
func (h *Harness) Previous() bool { return h.previous != "" }

// hasHistory is whether the files are a clone with earlier commits, all of them.
func (h *Harness) hasHistory(ctx context.Context) bool {
	shallow, err := h.run(ctx, "", "", "git", "rev-parse", "--is-shallow-repository")
	if err != nil || strings.TrimSpace(shallow) == "true" {
		return false
	}
	_, err = h.run(ctx, "", "", "git", "rev-parse", "--verify", "--quiet", "HEAD^")
	return err == nil
}

// fetchCommit makes sure that the clone has a commit.
func (h *Harness) fetchCommit(ctx context.Context, commit string) error {
	has := func() error {
		_, err := h.run(ctx, "", "", "git", "cat-file", "-e", commit+"^{commit}")
		return err
	}
	if has() == nil {
		return nil
	}
	_, fetchErr := h.run(ctx, "", "", "git", "fetch", "--depth", "1", "origin", commit)
	return errors.Join(has(), fetchErr)
}

// extract puts a commit's files into the cache, unless they are there, and returns their folder.
func (h *Harness) extract(ctx context.Context, commit string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	tree := filepath.Join(cache, "hanse", "work", "version-"+commit[:12])
	if _, err := os.Stat(tree); err == nil {
		return tree, nil
	}
	if err := os.MkdirAll(filepath.Dir(tree), 0o755); err != nil {
		return "", err
	}
	staging, err := os.MkdirTemp(filepath.Dir(tree), "version-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(staging)
	files := filepath.Join(staging, "files")
	if err := os.Mkdir(files, 0o755); err != nil {
		return "", err
	}
	if _, err := h.run(ctx, "", "", "git", "archive", "--output", files+".tar", commit); err != nil {
		return "", err
	}
	if _, err := h.run(ctx, "", "", "tar", "-xf", files+".tar", "-C", files); err != nil {
		return "", err
	}
	if err := os.Rename(files, tree); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return tree, nil
}

// chart is the folder of a chart of the version that is installed first.
func (h *Harness) chart(name string) string {
	if h.previous != "" {
		return filepath.Join(h.previous, "charts", name)
	}
	return "charts/" + name
}

// loadPrevious makes the images of the version before and loads them beside the current ones, whose tags are others.
func (h *Harness) loadPrevious(ctx context.Context) error {
	for clusters, names := range map[string][]string{"host": {"federation"}, strings.Join(h.Members, ","): {"member-agent", "gateway"}} {
		out, err := h.run(ctx, "", "", "env", append([]string{"TESTBED_ROOT=" + h.previous, h.Bin("testbed"), "images"}, names...)...)
		if err != nil {
			return err
		}
		load := []string{"load", "--cluster", clusters}
		for line := range strings.Lines(out) {
			if _, archive, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
				load = append(load, archive)
			}
		}
		if _, err := h.Testbed(ctx, load...); err != nil {
			return err
		}
	}
	return nil
}

// UpgradeHost upgrades the host as docs/releases.md says: the CRDs, then the chart.
func (h *Harness) UpgradeHost(ctx context.Context) error {
	return h.upgrade(ctx, "host", "federation")
}

// UpgradeMember upgrades one organization in the same way.
func (h *Harness) UpgradeMember(ctx context.Context, member string) error {
	return h.upgrade(ctx, member, "member-agent")
}

func (h *Harness) upgrade(ctx context.Context, cluster, chart string) error {
	return h.phase("upgrade "+cluster+" to "+Version, func() error {
		if _, err := h.Kubectl(ctx, cluster, "apply", "--server-side", "--force-conflicts", "-f", "charts/"+chart+"/crds"); err != nil {
			return err
		}
		_, err := h.Helm(ctx, cluster, "upgrade", chart, "charts/"+chart, "--namespace", "hanse-system",
			"--reset-then-reuse-values", "--wait", "--timeout", "600s")
		return err
	})
}
