package v1alpha1

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// ReasonUndecodable is a reason of the condition Accepted: the API server has a value that cannot be decoded into Go's types, stored
// before the CRD rejected it. The object, and what was computed from it, stays as it is until the value is corrected.
const ReasonUndecodable = "Undecodable"

// Undecodable lists the values of one object that cannot be decoded into Go's types. Those fields of the object are empty,
// and all others are set. It is nil for an object that was decoded completely.
//
// Without it one such object would stop the informer of its kind, and with it the controllers for all objects.
type Undecodable []UndecodableValue

// UndecodableValue is one of them.
type UndecodableValue struct {
	// Path of the value, such as spec.batch.timeout.
	Path string
	// Problem says what is wrong with it.
	Problem string
}

// InStatus is whether everything that cannot be decoded is in the status, which its writer will overwrite.
func (u Undecodable) InStatus() bool {
	for _, value := range u {
		if !strings.HasPrefix(value.Path, "status.") && value.Path != "status" {
			return false
		}
	}
	return true
}

// String says what is wrong, and where; empty for nothing.
func (u Undecodable) String() string {
	if len(u) == 0 {
		return ""
	}
	text := u[0].Path + " cannot be read: " + u[0].Problem
	if len(u) > 1 {
		text += fmt.Sprintf(", and %d more", len(u)-1)
	}
	return text
}

// writable is an error for an object of which a part other than the status was not decoded: writing it would delete that
// part.
func (u Undecodable) writable(kind, name string) error {
	if u.InStatus() {
		return nil
	}
	return fmt.Errorf("%s %s was not decoded completely and is not written: %s", kind, name, u)
}

// hasHugeExponent is whether a JSON text has a number, in quotes or without, with an exponent of more than three digits. As a
// quantity, decoding it, comparing it or reading its value may take unbounded time and memory. Most hashes are no numbers:
// of 256 some end like one, and a text that has a number is decoded twice.
func hasHugeExponent(text []byte) bool {
	is := func(i int, set string) bool { return i >= 0 && i < len(text) && strings.IndexByte(set, text[i]) >= 0 }
	const numeral, letters = "0123456789.", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for i := range text {
		if !is(i, "eE") || !is(i-1, numeral) {
			continue
		}
		end := i + 1
		if is(end, "+-") {
			end++
		}
		digits := 0
		for ; is(end, numeral); end++ {
			digits++
		}
		if digits < 4 || is(end, letters) {
			continue
		}
		begin := i - 1
		for is(begin, numeral) {
			begin--
		}
		if !is(begin, letters) {
			return true
		}
	}
	return false
}

// maxProblem is the length of a Problem in bytes; it may contain the value.
const maxProblem = 200

// decodeWhole decodes a kind. Values that cannot be decoded are left out and listed. into points to a type without an
// UnmarshalJSON of its own.
func decodeWhole(data []byte, into any) (Undecodable, error) {
	if !hasHugeExponent(data) && utiljson.Unmarshal(data, into) == nil {
		return nil, nil
	}
	var raw any
	if err := utiljson.Unmarshal(data, &raw); err != nil {
		return nil, err
	}
	var bad Undecodable
	t := reflect.TypeOf(into).Elem()
	pruned, _ := prune(raw, t, "", &bad)
	text, err := json.Marshal(pruned)
	if err != nil {
		return nil, err
	}
	reflect.ValueOf(into).Elem().SetZero()
	return bad, utiljson.Unmarshal(text, into)
}

// prune leaves out values that cannot be decoded. Not ok if that is the value itself.
func prune(value any, t reflect.Type, path string, bad *Undecodable) (any, bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if value != nil && !reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		switch {
		case t.Kind() == reflect.Struct:
			if object, ok := value.(map[string]any); ok {
				pruneFields(object, t, path, bad)
				return object, true
			}
		case t.Kind() == reflect.Map:
			if object, ok := value.(map[string]any); ok {
				for key, below := range object {
					pruneKey(object, key, below, t.Elem(), path, bad)
				}
				return object, true
			}
		case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
			if list, ok := value.([]any); ok {
				return pruneList(list, t.Elem(), path, bad), true
			}
		}
	}
	if err := decodeError(t, value); err != nil {
		problem := err.Error()
		if len(problem) > maxProblem {
			problem = strings.ToValidUTF8(problem[:maxProblem], "") + "…"
		}
		*bad = append(*bad, UndecodableValue{Path: strings.TrimPrefix(path, "."), Problem: problem})
		return nil, false
	}
	return value, true
}

// pruneFields goes through the fields of a struct; embedded ones are in the same object.
func pruneFields(object map[string]any, t reflect.Type, path string, bad *Undecodable) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch below, there := object[name]; {
		case name == "" && strings.Contains(options, "inline"):
			pruneFields(object, field.Type, path, bad)
		case name != "" && name != "-" && there:
			pruneKey(object, name, below, field.Type, path, bad)
		}
	}
}

func pruneKey(object map[string]any, key string, value any, t reflect.Type, path string, bad *Undecodable) {
	pruned, ok := prune(value, t, path+"."+key, bad)
	if !ok {
		delete(object, key)
		return
	}
	object[key] = pruned
}

func pruneList(list []any, t reflect.Type, path string, bad *Undecodable) []any {
	kept := make([]any, 0, len(list))
	for i, value := range list {
		if pruned, ok := prune(value, t, fmt.Sprintf("%s[%d]", path, i), bad); ok {
			kept = append(kept, pruned)
		}
	}
	return kept
}

// decodeError is why a value cannot be decoded into a type; nil if it can.
func decodeError(t reflect.Type, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if t == reflect.TypeFor[resource.Quantity]() && hasHugeExponent(text) {
		return errors.New("its exponent is too large")
	}
	return utiljson.Unmarshal(text, reflect.New(t).Interface())
}
