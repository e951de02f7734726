package harness

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
)

// hostImages and memberImages are what each kind of cluster needs beside what the testbed itself brings.
var (
	hostImages   = []string{"federation"}
	memberImages = []string{"member-agent", "gateway", "cert-manager-controller", "fabric-peer", "fabric-orderer", "contract-notary", "contract-asset"}
)

// Boot builds what is missing and starts the clusters.
func (h *Harness) Boot(ctx context.Context) error {
	return h.phase("boot a host and the organizations' clusters", func() error {
		if err := h.stream(ctx, "", "make", "-s", "build"); err != nil {
			return err
		}
		if err := h.link(ctx); err != nil {
			return err
		}
		return h.stream(ctx, "", h.Bin("testbed"), "up", "--members", fmt.Sprint(len(h.Members)), "--name", h.Name)
	})
}

// link puts kubectl and helm beside the programs that were built, for machines that have none.
func (h *Harness) link(ctx context.Context) error {
	assets, err := h.run(ctx, "", "", h.Bin("testbed"), "assets")
	if err != nil {
		return err
	}
	helm, err := h.run(ctx, "", "", h.Bin("testbed"), "parts", "helm", "--path")
	if err != nil {
		return err
	}
	for name, target := range map[string]string{"kubectl": filepath.Join(strings.TrimSpace(assets), "kubectl"), "helm": strings.TrimSpace(helm)} {
		if target, err = filepath.EvalSymlinks(target); err != nil {
			return err
		}
		if err := os.RemoveAll(h.Bin(name)); err != nil {
			return err
		}
		if err := os.Symlink(target, h.Bin(name)); err != nil {
			return err
		}
	}
	return nil
}

// Images builds the images and loads them into the clusters that need them.
func (h *Harness) Images(ctx context.Context) error {
	return h.phase("build the images and load them, without a registry", func() error {
		if _, err := h.Testbed(ctx, append([]string{"load", "--cluster", "host"}, hostImages...)...); err != nil {
			return err
		}
		if _, err := h.Testbed(ctx, append([]string{"load", "--cluster", strings.Join(h.Members, ",")}, memberImages...)...); err != nil {
			return err
		}
		if h.previous == "" {
			return nil
		}
		return h.loadPrevious(ctx)
	})
}

// InstallHost installs the federation controller with its chart.
func (h *Harness) InstallHost(ctx context.Context) error {
	return h.phase("host: helm upgrade --install federation", func() error {
		_, err := h.run(ctx, "host", "", h.Bin("helm"), "upgrade", "--install", "federation", h.chart("federation"),
			"--namespace", "hanse-system", "--create-namespace", "--wait", "--timeout", "600s")
		return err
	})
}

// InstallMembers installs cert-manager in each organization's cluster, invites the organizations, and has each of them
// run the command that the invitation printed.
func (h *Harness) InstallMembers(ctx context.Context) error {
	return h.phase("organizations: cert-manager, then the command that `kubectl hanse invite` prints", func() error {
		certManager, err := h.run(ctx, "", "", h.Bin("testbed"), "manifests", "cert-manager")
		if err != nil {
			return err
		}
		group, ctx := errgroup.WithContext(ctx)
		for _, member := range h.Members {
			group.Go(func() error {
				if err := h.Apply(ctx, member, certManager); err != nil {
					return err
				}
				return h.Join(ctx, member)
			})
		}
		return group.Wait()
	})
}

// Join invites one organization and runs the printed command in its cluster, unless that has been done.
func (h *Harness) Join(ctx context.Context, member string) error {
	if _, err := h.Helm(ctx, member, "status", "member-agent", "--namespace", "hanse-system"); err == nil {
		return nil
	}
	address, err := h.Testbed(ctx, "address", "host", "--from", member)
	if err != nil {
		return err
	}
	command, err := h.Hanse(ctx, "host", "invite", member, "--chart", h.chart("member-agent"),
		"--host-server", "https://"+strings.TrimSpace(address)+":6443", "--timeout", "10m")
	if err != nil {
		return err
	}
	_, err = h.run(ctx, member, "", "bash", "-c", command)
	return err
}

// WaitOnline waits until every organization's agent has registered.
func (h *Harness) WaitOnline(ctx context.Context) error {
	return h.phase("wait for the agents to register", func() error {
		for _, member := range h.Members {
			if _, err := h.Kubectl(ctx, "host", "wait", "member", member, "--for=condition=Online", "--timeout=600s"); err != nil {
				return err
			}
		}
		return nil
	})
}

// Declare applies the sample and follows it until it is ready.
func (h *Harness) Declare(ctx context.Context, sample string) error {
	return h.phase("declare the consortium: kubectl apply -f "+sample, func() error {
		if _, err := h.Kubectl(ctx, "host", "apply", "-f", sample); err != nil {
			return err
		}
		return h.stream(ctx, "host", h.Bin("kubectl-hanse"), "status", "trade", "--wait", "--timeout", "20m")
	})
}

// Up is the whole way, from nothing to a consortium that is ready.
func (h *Harness) Up(ctx context.Context, sample string) error {
	for _, step := range []func(context.Context) error{
		h.Boot, h.Images, h.InstallHost, h.InstallMembers, h.Lines, h.WaitOnline,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return h.Declare(ctx, sample)
}

// Down takes the testbed down.
func (h *Harness) Down(ctx context.Context) error {
	return h.stream(ctx, "", h.Bin("testbed"), "down", "--name", h.Name)
}
