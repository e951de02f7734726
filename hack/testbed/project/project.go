// Package project reads what a clone tells the testbed about itself, testbed.yaml: its name, how its clusters are called,
// the ports that its lines let through, the parts that are built, and the images that are made of it. It must not know any particular project.
package project

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"sigs.k8s.io/yaml"
)

// File is the name of the file at the top of a clone.
const File = "testbed.yaml"

// RootVariable names the environment variable that says where the clone is.
const RootVariable = "TESTBED_ROOT"

// Project is the content of the file.
type Project struct {
	// Name is the name of a testbed when none is given, and of the cache's folder below the user's cache.
	Name string `json:"name"`
	// Clusters names the clusters.
	Clusters Clusters `json:"clusters"`
	// Allow are the ports that lines let through.
	Allow []Port `json:"allow"`
	// Parts are programs that can be built, in the order of building: what others wait for comes first. A testbed's clusters
	// need some of them by name.
	Parts []Part `json:"parts"`
	// Assets are the parts, and programs of parts, that integration tests run.
	Assets []string `json:"assets"`
	// Manifests are what can be applied to a cluster.
	Manifests []Manifests `json:"manifests"`
	// Images are those that can be made of the clone.
	Images []Image `json:"images"`
}

// Clusters names the clusters of a testbed: one hub, and as many members as are asked for.
type Clusters struct {
	// Hub has a line to every member; "hub" if nothing is said.
	Hub string `json:"hub,omitempty"`
	// Member is followed by a number, from 1; "member" if nothing is said.
	Member string `json:"member,omitempty"`
}

// Numbered is the name of the member with a number, from 1.
func (c Clusters) Numbered(number int) string { return c.Member + strconv.Itoa(number) }

// Port is a TCP port of a line's end and where the border hands its connections to.
type Port struct {
	// Port from the LAN to a line, and from a line to its own end.
	Port int `json:"port"`
	// NodePort of the cluster's node.
	NodePort int `json:"nodePort"`
	// Clusters into which lines lead at this port; all of them if none is named.
	Clusters []string `json:"clusters,omitempty"`
}

// Image is what an image consists of.
type Image struct {
	Name      string   `json:"name"`
	Reference string   `json:"reference"`
	Binaries  []Binary `json:"binaries"`
	Files     []Source `json:"files,omitempty"`
	// Links are symbolic links: the path of each, and what it points to.
	Links map[string]string `json:"links,omitempty"`
	// Writable are directories that anybody may write to, for pods that mount nothing there.
	Writable   []string `json:"writable,omitempty"`
	Env        []string `json:"env,omitempty"`
	Entrypoint []string `json:"entrypoint,omitempty"`
	Cmd        []string `json:"cmd,omitempty"`
}

// Binary is one program in an image: a part, or a package of a Go module of the clone, which is built anew every time.
type Binary struct {
	Path string `json:"path"`
	Part string `json:"part,omitempty"`
	// Go is the module's folder, relative to the clone.
	Go      string `json:"go,omitempty"`
	Package string `json:"package,omitempty"`
}

// Source is a file in an image that comes from a Go module which a module of the clone requires.
type Source struct {
	Path string `json:"path"`
	// Go is the folder of the clone's module, relative to the clone.
	Go string `json:"go"`
	// Module is the path of the module that has the file.
	Module string `json:"module"`
	// File is relative to that module.
	File string `json:"file"`
}

// ErrNoClone says that there is no file above the working directory.
var ErrNoClone = fmt.Errorf("run this inside a clone that has a %s, or set %s to one", File, RootVariable)

// Load reads the file of the clone that the working directory is in.
func Load() (Project, error) {
	root, err := Root()
	if err != nil {
		return Project{}, err
	}
	return read(filepath.Join(root, File))
}

func read(path string) (Project, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Project{}, err
	}
	p := Project{Clusters: Clusters{Hub: "hub", Member: "member"}}
	if err := yaml.UnmarshalStrict(text, &p); err != nil {
		return Project{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := p.validate(); err != nil {
		return Project{}, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

func (p Project) validate() error {
	if p.Name == "" {
		return errors.New("name is missing: it names testbeds and the cache's folder")
	}
	for _, port := range p.Allow {
		if port.Port < 1 || port.Port > 65535 || port.NodePort < 1 || port.NodePort > 65535 {
			return fmt.Errorf("allow: %d to node port %d: ports are numbers from 1 to 65535", port.Port, port.NodePort)
		}
	}
	if err := errors.Join(validateParts(p.Parts), validateManifests(p.Manifests)); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, image := range p.Images {
		switch {
		case image.Name == "" || seen[image.Name]:
			return fmt.Errorf("images: the name %q is empty or taken", image.Name)
		case len(image.Entrypoint)+len(image.Cmd) == 0:
			return fmt.Errorf("images: %s has neither entrypoint nor cmd", image.Name)
		}
		for _, b := range image.Binaries {
			if (b.Part == "") == (b.Package == "") {
				return fmt.Errorf("images: %s: %s needs either part or package", image.Name, b.Path)
			}
		}
		seen[image.Name] = true
	}
	return nil
}

// Root is the clone's top directory: the value of TESTBED_ROOT, or the nearest one above the working directory that has
// the file.
func Root() (string, error) {
	if root := os.Getenv(RootVariable); root != "" {
		if !isRoot(root) {
			return "", fmt.Errorf("%s=%s holds no %s", RootVariable, root, File)
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
			return "", ErrNoClone
		}
		dir = parent
	}
	return dir, nil
}

func isRoot(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, File))
	return err == nil && info.Mode().IsRegular()
}
