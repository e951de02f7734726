package main

import (
	"fmt"
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// leaf is a kind of value whose schema admits, as generated, more than its Go type takes.
type leaf int

const (
	none leaf = iota
	integer
	quantity
	duration
	instant
	bytes
	// resources are a container's requests and limits.
	resources
	// conditions are a list, of which the API server has to know that it is short.
	conditions
)

var leaves = map[reflect.Type]leaf{
	reflect.TypeFor[resource.Quantity]():           quantity,
	reflect.TypeFor[metav1.Duration]():             duration,
	reflect.TypeFor[metav1.Time]():                 instant,
	reflect.TypeFor[metav1.MicroTime]():            instant,
	reflect.TypeFor[[]byte]():                      bytes,
	reflect.TypeFor[corev1.ResourceRequirements](): resources,
	reflect.TypeFor[[]metav1.Condition]():          conditions,
}

func leafOf(t reflect.Type) leaf {
	if kind, ok := leaves[t]; ok {
		return kind
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return integer
	}
	return none
}

// walker goes through a schema and the Go type that it is for.
type walker struct {
	// visit is called for every leaf.
	visit func(schema map[string]any, kind leaf, t reflect.Type, sentences bool, path string) error
	// sentences says that people write this part.
	sentences bool
	// strip takes away what only people need.
	strip bool
}

func (w walker) walk(schema map[string]any, t reflect.Type, path string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if schema == nil {
		return fmt.Errorf("%s has no schema", path)
	}
	kind := leafOf(t)
	if kind != none {
		if err := w.visit(schema, kind, t, w.sentences, path); err != nil {
			return err
		}
	}
	if kind != none && kind != resources && kind != conditions {
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return w.fields(schema, t, path)
	case reflect.Slice:
		items, _ := schema["items"].(map[string]any)
		return w.walk(items, t.Elem(), path+"[]")
	case reflect.Map:
		values, _ := schema["additionalProperties"].(map[string]any)
		return w.walk(values, t.Elem(), path+"{}")
	case reflect.Float32, reflect.Float64, reflect.Interface:
		return fmt.Errorf("%s: nothing is known of a %s: use an integer, a text or a quantity", path, t)
	}
	return nil
}

func (w walker) fields(schema map[string]any, t reflect.Type, path string) error {
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-":
			continue
		case name == "" && strings.Contains(options, "inline"):
			if err := w.walk(schema, field.Type, path); err != nil {
				return err
			}
			continue
		}
		below := property(schema, name)
		if below == nil && t == reflect.TypeFor[corev1.ResourceRequirements]() {
			continue // which has more than a container of ours can have: see amendResources
		}
		if err := w.walk(below, field.Type, path+"."+name); err != nil {
			return err
		}
	}
	return nil
}

func property(schema map[string]any, name string) map[string]any {
	properties, _ := schema["properties"].(map[string]any)
	found, _ := properties[name].(map[string]any)
	return found
}
