package stage

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
	memberImages = []string{"member-agent", "cert-manager-controller", "fabric-peer", "fabric-orderer", "contract-notary", "contract-asset"}
)

// Boot builds what is missing and starts the clusters.
func (s *Stage) Boot(ctx context.Context) error {
	return s.phase("boot a host and the organizations' clusters", func() error {
		if err := s.stream(ctx, "", "make", "-s", "build"); err != nil {
			return err
		}
		if err := s.link(ctx); err != nil {
			return err
		}
		return s.stream(ctx, "", s.Bin("testbed"), "up", "--members", fmt.Sprint(len(s.Members)), "--name", s.Name)
	})
}

// link puts kubectl and helm beside the programs that were built, for machines that have none.
func (s *Stage) link(ctx context.Context) error {
	assets, err := s.run(ctx, "", "", s.Bin("testbed"), "assets")
	if err != nil {
		return err
	}
	helm, err := s.run(ctx, "", "", s.Bin("testbed"), "parts", "helm", "--path")
	if err != nil {
		return err
	}
	for name, target := range map[string]string{"kubectl": filepath.Join(strings.TrimSpace(assets), "kubectl"), "helm": strings.TrimSpace(helm)} {
		if target, err = filepath.EvalSymlinks(target); err != nil {
			return err
		}
		if err := os.RemoveAll(s.Bin(name)); err != nil {
			return err
		}
		if err := os.Symlink(target, s.Bin(name)); err != nil {
			return err
		}
	}
	return nil
}

// Images builds the images and loads them into the clusters that need them.
func (s *Stage) Images(ctx context.Context) error {
	return s.phase("build the images and load them, without a registry", func() error {
		if _, err := s.Testbed(ctx, append([]string{"load", "--cluster", "host"}, hostImages...)...); err != nil {
			return err
		}
		_, err := s.Testbed(ctx, append([]string{"load", "--cluster", strings.Join(s.Members, ",")}, memberImages...)...)
		return err
	})
}

// InstallHost installs the federation controller with its chart.
func (s *Stage) InstallHost(ctx context.Context) error {
	return s.phase("host: helm upgrade --install federation", func() error {
		_, err := s.run(ctx, "host", "", s.Bin("helm"), "upgrade", "--install", "federation", "charts/federation",
			"--namespace", "hanse-system", "--create-namespace", "--wait", "--timeout", "600s")
		return err
	})
}

// InstallMembers installs cert-manager in each organization's cluster, invites the organizations, and has each of them
// run the command that the invitation printed.
func (s *Stage) InstallMembers(ctx context.Context) error {
	return s.phase("organizations: cert-manager, then the command that `kubectl hanse invite` prints", func() error {
		certManager, err := s.run(ctx, "", "", s.Bin("testbed"), "manifests", "cert-manager")
		if err != nil {
			return err
		}
		group, ctx := errgroup.WithContext(ctx)
		for _, member := range s.Members {
			group.Go(func() error {
				if err := s.Apply(ctx, member, certManager); err != nil {
					return err
				}
				return s.Join(ctx, member)
			})
		}
		return group.Wait()
	})
}

// Join invites one organization and runs the printed command in its cluster, unless that has been done.
func (s *Stage) Join(ctx context.Context, member string) error {
	if _, err := s.Helm(ctx, member, "status", "member-agent", "--namespace", "hanse-system"); err == nil {
		return nil
	}
	address, err := s.Testbed(ctx, "address", "host", "--from", member)
	if err != nil {
		return err
	}
	command, err := s.Hanse(ctx, "host", "invite", member, "--chart", "charts/member-agent",
		"--server", "https://"+strings.TrimSpace(address)+":6443", "--timeout", "10m")
	if err != nil {
		return err
	}
	_, err = s.run(ctx, member, "", "bash", "-c", command)
	return err
}

// Lines declares the testbed's lines on the host.
func (s *Stage) Lines(ctx context.Context) error {
	return s.phase("declare the lines", func() error {
		manifests, err := s.Testbed(ctx, "lines")
		if err != nil {
			return err
		}
		return s.Apply(ctx, "host", manifests)
	})
}

// WaitOnline waits until every organization's agent has registered.
func (s *Stage) WaitOnline(ctx context.Context) error {
	return s.phase("wait for the agents to register", func() error {
		for _, member := range s.Members {
			if _, err := s.Kubectl(ctx, "host", "wait", "member", member, "--for=condition=Online", "--timeout=600s"); err != nil {
				return err
			}
		}
		return nil
	})
}

// Declare applies the sample and follows it until it is ready.
func (s *Stage) Declare(ctx context.Context, sample string) error {
	return s.phase("declare the consortium: kubectl apply -f "+sample, func() error {
		if _, err := s.Kubectl(ctx, "host", "apply", "-f", sample); err != nil {
			return err
		}
		return s.stream(ctx, "host", s.Bin("kubectl-hanse"), "status", "trade", "--wait", "--timeout", "20m")
	})
}

// Up is the whole way, from nothing to a consortium that is ready.
func (s *Stage) Up(ctx context.Context, sample string) error {
	for _, step := range []func(context.Context) error{
		s.Boot, s.Images, s.InstallHost, s.InstallMembers, s.Lines, s.WaitOnline,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return s.Declare(ctx, sample)
}

// Down takes the testbed down.
func (s *Stage) Down(ctx context.Context) error {
	return s.stream(ctx, "", s.Bin("testbed"), "down", "--name", s.Name)
}
