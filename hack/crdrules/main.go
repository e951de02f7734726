package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/version"
)

// kinds are the Go types of the CRDs, by kind.
var kinds = map[string]reflect.Type{
	"Member":     reflect.TypeFor[v1alpha1.Member](),
	"Line":       reflect.TypeFor[v1alpha1.Line](),
	"Consortium": reflect.TypeFor[v1alpha1.Consortium](),
	"Channel":    reflect.TypeFor[v1alpha1.Channel](),
	"Contract":   reflect.TypeFor[v1alpha1.Contract](),
	"MemberPlan": reflect.TypeFor[v1alpha1.MemberPlan](),
	"Statement":  reflect.TypeFor[v1alpha1.Statement](),

	"ConsortiumDefinition": reflect.TypeFor[v1alpha1.ConsortiumDefinition](),
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: crdrules FOLDER")
		os.Exit(2)
	}
	if err := rewrite(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "crdrules:", err)
		os.Exit(1)
	}
}

// rewrite adds the rules to every CRD of a folder.
func rewrite(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("there is no CRD in %s: run controller-gen first", folder)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		crd := map[string]any{}
		if err := yaml.Unmarshal(text, &crd); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := visit(crd, walker{visit: amend, strip: true}); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		label(crd)
		if text, err = yaml.Marshal(crd); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := os.WriteFile(file, append([]byte("---\n"), text...), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// label says which version of Hanse a CRD belongs to: Helm installs CRDs and never upgrades them, so that what a cluster has
// may be older than its chart.
func label(crd map[string]any) {
	meta, _ := crd["metadata"].(map[string]any)
	meta["labels"] = map[string]any{"app.kubernetes.io/part-of": "hanse", "app.kubernetes.io/version": version.Current}
}

// visit walks the schemas of a CRD beside the Go type of its kind.
func visit(crd map[string]any, w walker) error {
	spec, _ := crd["spec"].(map[string]any)
	names, _ := spec["names"].(map[string]any)
	kind, _ := names["kind"].(string)
	t, ok := kinds[kind]
	if !ok {
		return fmt.Errorf("no Go type is known for kind %q: add it to kinds", kind)
	}
	versions, _ := spec["versions"].([]any)
	for _, v := range versions {
		version, _ := v.(map[string]any)
		outer, _ := version["schema"].(map[string]any)
		schema, _ := outer["openAPIV3Schema"].(map[string]any)
		if schema == nil {
			return fmt.Errorf("kind %s has a version without a schema", kind)
		}
		for _, part := range []string{"Spec", "Status"} {
			field, found := t.FieldByName(part)
			if !found {
				continue
			}
			name := strings.ToLower(part)
			// People write the specs, all but those of plans, definitions and statements.
			w.sentences = part == "Spec" && kind != "MemberPlan" && kind != "Statement" && kind != "ConsortiumDefinition"
			if !w.sentences && w.strip {
				withoutRules(property(schema, name), false)
			}
			if err := w.walk(property(schema, name), field.Type, kind+"."+name); err != nil {
				return err
			}
		}
	}
	return nil
}
