// Command release makes everything that a release of Hanse consists of, from the clone alone: charts, CRDs, images as OCI
// layouts, the plugin for each platform, a list of all images, an SBOM and checksums. Made twice from one commit, all files
// are the same. It publishes nothing, and must not know where that would be.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// platforms of the plugin; those of Linux are the images' too.
const platforms = "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("release", flag.ExitOnError)
	root := flags.String("root", "../..", "the clone")
	to := flags.String("to", "", "where the release goes, in a folder of its version; dist/release of the clone if empty")
	asked := flags.String("version", "", "the version to release, which has to be the clone's")
	on := flags.String("platforms", platforms, "what programs are built for, as OS/ARCHITECTURE")
	helm := flags.String("helm", "helm", "the program that packages charts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r := release{out: os.Stderr, helm: *helm}
	var err error
	if r.root, err = filepath.Abs(*root); err != nil {
		return err
	}
	if r.version, err = versionOf(r.root, *asked); err != nil {
		return err
	}
	if r.platforms, err = parsePlatforms(*on); err != nil {
		return err
	}
	if r.time, err = commitTime(ctx, r.root); err != nil {
		return err
	}
	if *to == "" {
		*to = filepath.Join(r.root, "dist", "release")
	}
	if r.to, err = filepath.Abs(filepath.Join(*to, "v"+r.version)); err != nil {
		return err
	}
	return r.make(ctx)
}

// versionOf is the clone's version. Another one cannot be asked for: charts, CRDs and programs have it in them.
func versionOf(root, asked string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "internal", "version", "VERSION"))
	if err != nil {
		return "", err
	}
	version := strings.TrimSpace(string(text))
	if asked != "" && asked != version {
		return "", fmt.Errorf("this tree is version %s, not %s: write %s into internal/version/VERSION, run make generate, and commit", version, asked, asked)
	}
	return version, nil
}

// commitTime is when everything in a release was made: SOURCE_DATE_EPOCH if it is set, otherwise the commit's time.
func commitTime(ctx context.Context, root string) (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		out, err := exec.CommandContext(ctx, "git", "-C", root, "log", "-1", "--format=%ct").Output()
		if err != nil {
			return time.Time{}, fmt.Errorf("read the time of the commit: %w: set SOURCE_DATE_EPOCH outside of a clone", err)
		}
		text = strings.TrimSpace(string(out))
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q: write seconds since 1970", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// platform is an operating system and an architecture, as Go names them.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

func parsePlatforms(text string) ([]platform, error) {
	var all []platform
	for part := range strings.SplitSeq(text, ",") {
		system, arch, ok := strings.Cut(part, "/")
		if !ok || system == "" || arch == "" {
			return nil, fmt.Errorf("%q is no platform: write one such as linux/amd64", part)
		}
		all = append(all, platform{system, arch})
	}
	return all, nil
}
