package redact

import (
	"encoding/json"
	"strings"
)

// Object takes the secrets out of a decoded JSON value, in place, and returns it. It knows more than Text does: which
// value belongs to which name, JSON within strings such as kubectl's last applied configuration, and Secrets within it.
func (r *Redactor) Object(value any) any {
	switch v := value.(type) {
	case map[string]any:
		r.object(v)
	case []any:
		for i := range v {
			if text, ok := v[i].(string); ok && i > 0 && isFlag(v[i-1]) && !strings.HasPrefix(text, "-") {
				v[i] = marker("value")
				continue
			}
			v[i] = r.Object(v[i])
		}
	case string:
		return r.value(v)
	}
	return value
}

func (r *Redactor) object(v map[string]any) {
	if v["kind"] == "Secret" {
		for _, data := range []string{"data", "stringData"} {
			for key := range asObject(v[data]) {
				asObject(v[data])[key] = marker("data of a Secret")
			}
		}
	}
	name, _ := v["name"].(string)
	for key, below := range v {
		text, isString := below.(string)
		switch {
		case isString && key == "value" && sensitive(name) && !harmless(text):
			v[key] = marker("value")
		case isString && sensitive(key) && !harmless(text):
			v[key] = marker("value")
		default:
			v[key] = r.Object(below)
		}
	}
}

func asObject(value any) map[string]any {
	object, _ := value.(map[string]any)
	return object
}

// isFlag is whether an argument is a flag whose value, a secret, is the next one.
func isFlag(argument any) bool {
	text, _ := argument.(string)
	name := strings.TrimLeft(text, "-")
	return name != text && !strings.Contains(name, "=") && sensitive(name)
}

// value is a string without its secrets.
func (r *Redactor) value(text string) string {
	if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
		var inside any
		decoder := json.NewDecoder(strings.NewReader(trimmed))
		decoder.UseNumber()
		if decoder.Decode(&inside) == nil && !decoder.More() {
			if clean, err := json.Marshal(r.Object(inside)); err == nil {
				return r.Text(string(clean))
			}
		}
	}
	return r.Text(text)
}
