package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// downloads is where the archives of a release are published.
const downloads = "https://github.com/hanse-io/hanse/releases/download/"

// completeOnWindows is what kubectl runs there to complete a command line; elsewhere the program does under this name.
const completeOnWindows = "@\"%~dp0kubectl-hanse.exe\" __complete %*\r\n"

// plugin makes an archive of kubectl-hanse for each platform, and the manifest with which krew installs it.
func (r *release) plugin(ctx context.Context) error {
	manifest := newManifest(r.version)
	for _, on := range r.platforms {
		file, err := r.build(ctx, "kubectl-hanse", ".", "./cmd/kubectl-hanse", on)
		if err != nil {
			return err
		}
		name := pluginArchive(r.version, on)
		license := entry{name: "LICENSE", mode: 0o644, source: filepath.Join(r.root, "LICENSE")}
		entries := []entry{license, {name: "kubectl-hanse", mode: 0o755, source: file}, {name: "kubectl_complete-hanse", mode: 0o777, link: "kubectl-hanse"}}
		if on.os == "windows" {
			entries = []entry{license, {name: "kubectl-hanse.exe", mode: 0o755, source: file}, {name: "kubectl_complete-hanse.cmd", mode: 0o755, text: []byte(completeOnWindows)}}
		}
		if err := archive(r.path("plugin", name), r.time, entries); err != nil {
			return err
		}
		sum, err := fileSum(r.path("plugin", name))
		if err != nil {
			return err
		}
		manifest.Spec.Platforms = append(manifest.Spec.Platforms, krewPlatform(r.version, on, sum))
	}
	text, err := yaml.Marshal(manifest)
	if err != nil {
		return err
	}
	return os.WriteFile(r.path("plugin", "hanse.yaml"), text, 0o644)
}

func pluginArchive(version string, on platform) string {
	suffix := ".tar.gz"
	if on.os == "windows" {
		suffix = ".zip"
	}
	return "kubectl-hanse_" + version + "_" + on.os + "_" + on.arch + suffix
}

// krew's manifest of a plugin, as far as it is used.
type (
	krewManifest struct {
		APIVersion string            `json:"apiVersion"`
		Kind       string            `json:"kind"`
		Metadata   map[string]string `json:"metadata"`
		Spec       krewSpec          `json:"spec"`
	}
	krewSpec struct {
		Version          string   `json:"version"`
		Homepage         string   `json:"homepage"`
		ShortDescription string   `json:"shortDescription"`
		Description      string   `json:"description"`
		Platforms        []krewOS `json:"platforms"`
	}
	krewOS struct {
		Selector krewSelector `json:"selector"`
		URI      string       `json:"uri"`
		SHA256   string       `json:"sha256"`
		Bin      string       `json:"bin"`
	}
	krewSelector struct {
		MatchLabels map[string]string `json:"matchLabels"`
	}
)

func newManifest(version string) krewManifest {
	return krewManifest{
		APIVersion: "krew.googlecontainertools.github.com/v1alpha2", Kind: "Plugin", Metadata: map[string]string{"name": "hanse"},
		Spec: krewSpec{
			Version: "v" + version, Homepage: "https://github.com/hanse-io/hanse",
			ShortDescription: "Federate consortium blockchains over clusters",
			Description: "Hanse federates consortium blockchains (Hyperledger Fabric) over Kubernetes clusters.\n" +
				"The plugin invites organizations, shows where a consortium stands and what waits for\nwhom, and calls contracts.\n",
		},
	}
}

func krewPlatform(version string, on platform, sum string) krewOS {
	bin := "kubectl-hanse"
	if on.os == "windows" {
		bin += ".exe"
	}
	return krewOS{
		Selector: krewSelector{map[string]string{"os": on.os, "arch": on.arch}},
		URI:      downloads + "v" + version + "/" + pluginArchive(version, on), SHA256: sum, Bin: bin,
	}
}

// fileSum is the hex SHA-256 of a file.
func fileSum(file string) (sum string, err error) {
	in, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	h := sha256.New()
	if _, err := io.Copy(h, in); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
