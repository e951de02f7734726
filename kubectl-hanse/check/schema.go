package check

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// customResource compares a CRD as the cluster has it with that of this version. Pure.
func customResource(name string, has, expected map[string]any, there bool) CRD {
	crd := CRD{Name: name, There: there}
	if !there {
		return crd
	}
	crd.Stored, _, _ = unstructured.NestedStringSlice(has, "status", "storedVersions")
	conditions, _, _ := unstructured.NestedSlice(has, "status", "conditions")
	crd.Established = slices.ContainsFunc(conditions, func(condition any) bool {
		c, ok := condition.(map[string]any)
		return ok && c["type"] == "Established" && c["status"] == "True"
	})
	crd.Differs = difference("", schemas(expected), schemas(has))
	return crd
}

// schemas are those of a CRD by version, with all numbers of one type.
func schemas(crd map[string]any) any {
	versions, _, _ := unstructured.NestedFieldNoCopy(crd, "spec", "versions")
	list, _ := versions.([]any)
	byVersion := map[string]any{}
	for _, v := range list {
		if version, ok := v.(map[string]any); ok {
			byVersion[fmt.Sprint(version["name"])] = version["schema"]
		}
	}
	text, err := json.Marshal(byVersion)
	if err != nil {
		return nil
	}
	var plain any
	_ = json.Unmarshal(text, &plain) // what was just marshalled
	return plain
}

// difference is the path of the first place at which two decoded values differ; empty if they do not.
func difference(path string, a, b any) string {
	first, ok := a.(map[string]any)
	second, also := b.(map[string]any)
	if !ok || !also {
		if reflect.DeepEqual(a, b) {
			return ""
		}
		return path
	}
	var keys []string
	for key := range first {
		keys = append(keys, key)
	}
	for key := range second {
		if _, there := first[key]; !there {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		if found := difference(path+"."+key, first[key], second[key]); found != "" {
			return found
		}
	}
	return ""
}
