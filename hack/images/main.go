// Command images prints every image that a release of Hanse runs by default, one a line: those of the charts, of the contracts
// that ship with it, and of the ledgers' nodes. It asks those who decide: charts, host and planners. It must not know how
// images are made.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: images CLONE")
		os.Exit(2)
	}
	all, err := references(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
	for _, reference := range all {
		fmt.Println(reference)
	}
}

// references lists the images of the clone at root, sorted.
func references(root string) ([]string, error) {
	var all []string
	for _, chart := range []string{"federation", "member-agent"} {
		found, err := chartImages(filepath.Join(root, "charts", chart))
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	for _, template := range []v1alpha1.ContractTemplate{v1alpha1.TemplateNotary, v1alpha1.TemplateAsset} {
		all = append(all, plan.TemplateImage(template))
	}
	nodes := planner.Planner{}.Target(v1alpha1.LedgerSpec{})
	all = append(all, nodes.PeerImage, nodes.OrdererImage, nodes.CouchDBImage)
	slices.Sort(all)
	return slices.Compact(all), nil
}

// chartImages are those in a chart's values: each map with a repository is an image, whose tag is the chart's appVersion if it
// has none of its own.
func chartImages(chart string) ([]string, error) {
	var about struct {
		AppVersion string `json:"appVersion"`
	}
	var values map[string]any
	for name, into := range map[string]any{"Chart.yaml": &about, "values.yaml": &values} {
		text, err := os.ReadFile(filepath.Join(chart, name))
		if err != nil {
			return nil, err
		}
		if err := yaml.Unmarshal(text, into); err != nil {
			return nil, fmt.Errorf("%s of the chart %s: %w", name, chart, err)
		}
	}
	found := imagesIn(values, about.AppVersion)
	if len(found) == 0 {
		return nil, fmt.Errorf("the chart %s has no image in its values", chart)
	}
	return found, nil
}

func imagesIn(values map[string]any, version string) []string {
	var found []string
	if repository, ok := values["repository"].(string); ok {
		tag, _ := values["tag"].(string)
		if tag == "" {
			tag = version
		}
		found = append(found, repository+":"+tag)
	}
	for _, value := range values {
		if below, ok := value.(map[string]any); ok {
			found = append(found, imagesIn(below, version)...)
		}
	}
	return found
}
