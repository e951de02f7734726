package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/ledger"
)

// row is a setting with what the CRD says of it.
type row struct {
	ledger.Setting
	// Default in the CRD; empty if it has none.
	Default string
	// Message with which changes are rejected, as the CRD has it.
	Message string
}

// join finds every setting's field and rule in the CRD. It fails if either side has what the other lacks.
func join(crd map[string]any, settings []ledger.Setting) ([]row, error) {
	root, err := schemaOf(crd)
	if err != nil {
		return nil, err
	}
	spec := child(root, "spec")
	fields, rules := map[string]map[string]any{}, messages(root)
	collect(spec, "", fields)
	var failed []error
	used, rows := map[string]bool{}, []row{}
	for _, s := range settings {
		r := row{Setting: s}
		found := false
		for path, field := range fields {
			if path == s.Path || strings.HasPrefix(path, s.Path+".") || strings.HasPrefix(path, s.Path+"[") {
				found = true
				delete(fields, path)
				if value, ok := field["default"]; ok && path == s.Path {
					r.Default = fmt.Sprint(value)
				}
			}
		}
		if !found {
			failed = append(failed, fmt.Errorf("the CRD has no field spec.%s, or another setting has it: take the setting out of the Planner's Settings", s.Path))
		}
		if s.Rejected != "" {
			at := slices.IndexFunc(rules, func(m string) bool { return strings.HasPrefix(m, s.Rejected) })
			if at < 0 {
				failed = append(failed, fmt.Errorf("no rule of the CRD rejects a change of %s with %q", s.Path, s.Rejected))
				continue
			}
			r.Message = rules[at]
			used[r.Message] = true
		}
		if (s.Effect == ledger.EffectFixed || s.Effect == ledger.EffectGrow) && s.Rejected == "" {
			failed = append(failed, fmt.Errorf("nothing rejects what must not change of %s: name the rule", s.Path))
		}
		rows = append(rows, r)
	}
	for path := range fields {
		failed = append(failed, fmt.Errorf("spec.%s has no row: say in the Planner's Settings what a change of it does", path))
	}
	for _, message := range rules {
		if !used[message] {
			failed = append(failed, fmt.Errorf("no setting names the rule %q", message))
		}
	}
	return rows, errors.Join(failed...)
}

func schemaOf(crd map[string]any) (map[string]any, error) {
	spec, _ := crd["spec"].(map[string]any)
	versions, _ := spec["versions"].([]any)
	if len(versions) != 1 {
		return nil, fmt.Errorf("the CRD has %d versions, and the table is of one", len(versions))
	}
	version, _ := versions[0].(map[string]any)
	outer, _ := version["schema"].(map[string]any)
	schema, _ := outer["openAPIV3Schema"].(map[string]any)
	return schema, nil
}

func child(schema map[string]any, name string) map[string]any {
	properties, _ := schema["properties"].(map[string]any)
	below, _ := properties[name].(map[string]any)
	return below
}

// collect lists the fields without others below them. Those of members[].nodes are those of nodes.
func collect(schema map[string]any, path string, into map[string]map[string]any) {
	if items, ok := schema["items"].(map[string]any); ok {
		collect(items, path+"[]", into)
		return
	}
	properties, _ := schema["properties"].(map[string]any)
	if len(properties) == 0 {
		into[path] = schema
		return
	}
	for name := range properties {
		below := strings.TrimPrefix(path+"."+name, ".")
		if below == "members[].nodes" {
			below = "nodes"
		}
		collect(child(schema, name), below, into)
	}
}

// messages of the rules that compare with what was declared before, or with what runs; each once.
func messages(schema map[string]any) []string {
	var all []string
	rules, _ := schema["x-kubernetes-validations"].([]any)
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		text := fmt.Sprint(rule["rule"])
		if strings.Contains(text, "oldSelf") || strings.Contains(text, "self.status") {
			all = append(all, fmt.Sprint(rule["message"]))
		}
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if below, ok := schema[key].(map[string]any); ok {
			all = append(all, messages(below)...)
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for name := range properties {
		all = append(all, messages(child(schema, name))...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
