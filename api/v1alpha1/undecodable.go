package v1alpha1

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// ReasonUndecodable is a reason of the condition Accepted: the API server holds a value that Go's types do not take, stored before
// the CRD forbade it. The object is left as it is, whatever follows from it too, until somebody corrects the value.
const ReasonUndecodable = "Undecodable"

// Undecodable lists the values of one object that Go's types do not take. The object's own fields are empty there, and
// hold everything else. It is nil for an object that was read whole.
//
// One such object would otherwise stop the informer of its kind, and with it everything for everybody.
type Undecodable []UndecodableValue

// UndecodableValue is one of them.
type UndecodableValue struct {
	// Path of the value, such as spec.batch.timeout.
	Path string
	// Problem says what is wrong with it.
	Problem string
}

// InStatus is whether everything that cannot be decoded is in the status, which its writer will write anew.
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

// writable refuses to encode an object of which a part other than the status was not read: writing it would put the half
// in the place of the whole.
func (u Undecodable) writable(kind, name string) error {
	if u.InStatus() {
		return nil
	}
	return fmt.Errorf("%s %s was not read whole, and is not written: %s", kind, name, u)
}

// monstrous is the end of a quantity with an exponent of more than three digits. It can be decoded, and whoever compares
// it with another one, or asks for its value, waits for ever and runs out of memory.
var monstrous = regexp.MustCompile(`[0-9.][eE][+-]?[0-9]{4,}"`)

// maxProblem is how many bytes of what is wrong with a value are kept; the value may be in it.
const maxProblem = 200

// decodeWhole decodes a kind. What its types do not take is left out and listed. into points to a type without an
// UnmarshalJSON of its own.
func decodeWhole(data []byte, into any) (Undecodable, error) {
	if utiljson.Unmarshal(data, into) == nil && !monstrous.Match(data) {
		return nil, nil
	}
	var raw any
	if err := utiljson.Unmarshal(data, &raw); err != nil {
		return nil, err
	}
	var bad Undecodable
	t := reflect.TypeOf(into).Elem()
	sound, _ := prune(raw, t, "", &bad)
	text, err := json.Marshal(sound)
	if err != nil {
		return nil, err
	}
	reflect.ValueOf(into).Elem().SetZero()
	return bad, utiljson.Unmarshal(text, into)
}

// prune leaves out what a type does not take. Not ok if that is the value itself.
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
	if err := takes(t, value); err != nil {
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
	sound, ok := prune(value, t, path+"."+key, bad)
	if !ok {
		delete(object, key)
		return
	}
	object[key] = sound
}

func pruneList(list []any, t reflect.Type, path string, bad *Undecodable) []any {
	kept := make([]any, 0, len(list))
	for i, value := range list {
		if sound, ok := prune(value, t, fmt.Sprintf("%s[%d]", path, i), bad); ok {
			kept = append(kept, sound)
		}
	}
	return kept
}

// takes is why a type does not take a value; nil if it does.
func takes(t reflect.Type, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if t == reflect.TypeFor[resource.Quantity]() && monstrous.Match(text) {
		return errors.New("its exponent is larger than any amount that there is")
	}
	return utiljson.Unmarshal(text, reflect.New(t).Interface())
}
