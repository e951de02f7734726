package main

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Patterns of what Go decodes, and encodes again as something that it decodes.
const (
	// quantityPattern: a positive number, never so large or so long that a comparison costs more than a request is worth.
	quantityPattern = `^[+]?([0-9]{1,15}([.][0-9]{0,9})?|[.][0-9]{1,9})(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?[0-9]{1,2})?$`
	maxQuantity     = 32
	// positive is a mantissa that is not zero.
	positive = `^[+]?[0-9.]*[1-9]`
	// durationPattern: what time.ParseDuration takes, each unit once, within the 292 years that it holds.
	durationPattern = `^([0-9]{1,6}([.][0-9]{1,9})?h)?([0-9]{1,7}([.][0-9]{1,9})?m)?([0-9]{1,9}([.][0-9]{1,9})?s)?([0-9]{1,12}([.][0-9]{1,9})?ms)?([0-9]{1,15}([.][0-9]{1,9})?(us|µs|μs))?([0-9]{1,18}ns)?$`
	maxDuration     = 64
	// instantPattern: RFC 3339 with capitals, without leap seconds, in years that stay four digits long in every zone.
	instantPattern = `^(([12][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|([12][0-9](0[48]|[2468][048]|[13579][26])|(12|16|20|24|28)00)-02-29)` +
		`T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`
	maxInstant   = 40
	bytesPattern = `^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$`
)

// Sentences for people.
const (
	sayQuantity = "this is no amount: write a number above zero with a unit such as 500m, 2, 64Mi or 10Gi (capitals matter: Mi and Gi, not mb or GB)"
	sayDuration = "this is no duration: write a number with its unit, such as 500ms, 2s or 1m30s, without blanks"
	sayInstant  = "this is no time: write it as 2026-01-31T12:00:00Z"
)

// maxInteger is the largest whole number that every JSON parser keeps.
const maxInteger = 1<<53 - 1

// amend makes a schema admit only what Go's type takes.
func amend(schema map[string]any, kind leaf, t reflect.Type, sentences bool, path string) error {
	switch kind {
	case integer:
		return amendInteger(schema, t, path)
	case quantity:
		amendQuantity(schema, sentences)
	case duration:
		schema["maxLength"] = maxDuration
		amendText(schema, sentences, durationPattern, sayDuration)
		if !sentences {
			schema["minLength"] = 2
		}
	case instant:
		schema["maxLength"] = maxInstant
		if sentences {
			delete(schema, "format") // for which CEL would take the text as a time already
		}
		amendText(schema, sentences, instantPattern, sayInstant)
	case bytes:
		schema["format"], schema["pattern"] = "byte", bytesPattern
	case conditions:
		if _, said := schema["maxItems"]; !said {
			schema["maxItems"] = 32
		}
	case resources:
		return amendResources(schema, sentences, path)
	}
	return nil
}

// amendText gives a text a pattern, for people in the shape of a rule with a sentence.
func amendText(schema map[string]any, sentences bool, pattern, sentence string) {
	if !sentences {
		schema["pattern"] = pattern
		return
	}
	condition := fmt.Sprintf("self.matches(r'%s')", pattern)
	if pattern == durationPattern {
		condition = "size(self) > 0 && " + condition
	}
	addRule(schema, condition, sentence)
}

func amendQuantity(schema map[string]any, sentences bool) {
	schema["maxLength"], schema["minimum"], schema["maximum"] = maxQuantity, 1, maxInteger
	if !sentences {
		schema["pattern"] = quantityPattern
		return
	}
	delete(schema, "pattern")
	addRule(schema, fmt.Sprintf("type(self) != string || (self.matches(r'%s') && self.matches(r'%s'))", quantityPattern, positive), sayQuantity)
}

// amendInteger bounds a whole number: by its Go type, and from below by zero, unless a marker says more.
func amendInteger(schema map[string]any, t reflect.Type, path string) error {
	largest := float64(maxInteger)
	switch t.Kind() {
	case reflect.Int8, reflect.Uint8, reflect.Int16, reflect.Uint16:
		return fmt.Errorf("%s: use int32 or int64 for whole numbers", path)
	case reflect.Int32:
		largest = math.MaxInt32
	case reflect.Uint32:
		largest = math.MaxUint32
	}
	if _, said := schema["minimum"]; !said {
		schema["minimum"] = 0
	}
	if _, said := schema["maximum"]; !said {
		schema["maximum"] = int64(largest)
	}
	return nil
}

// maxResources is how many kinds of resources a container asks for at the most.
const maxResources = 8

// amendResources keeps a container's resources to requests and limits of resources that there can be.
func amendResources(schema map[string]any, sentences bool, path string) error {
	properties, _ := schema["properties"].(map[string]any)
	delete(properties, "claims") // no pod of a plan has any
	for _, name := range []string{"requests", "limits"} {
		amounts := property(schema, name)
		if amounts == nil {
			return fmt.Errorf("%s has no %s", path, name)
		}
		amounts["maxProperties"] = maxResources
		if !sentences {
			continue
		}
		addRule(amounts, "self.all(k, k in ['cpu', 'memory', 'ephemeral-storage'])",
			"there is no such resource for a container of Hanse's: say cpu, memory or ephemeral-storage")
		addRule(amounts, "!('memory' in self) || !"+comparable("self['memory']")+" || quantity(string(self['memory'])).compareTo(quantity('4Mi')) >= 0",
			"memory is counted in bytes, and no container starts with less than 4Mi: add the unit, such as 512Mi")
	}
	if sentences {
		addRule(schema, "!has(self.requests) || !has(self.limits) || self.requests.all(k, !(k in self.limits) || !"+comparable("self.requests[k]")+" || !"+comparable("self.limits[k]")+" || quantity(string(self.requests[k])).compareTo(quantity(string(self.limits[k]))) <= 0)",
			"a request is larger than the limit of the same resource: lower the request or raise the limit")
	}
	return nil
}

// comparable is a condition on a quantity: comparing one with a large exponent takes the API server minutes and all its
// memory. The field's own rule rejects those, but every rule is evaluated whatever the others say.
func comparable(value string) string {
	return "string(" + value + ").matches('^[+]?[0-9]{1,15}([.][0-9]{1,9})?([KMGTPE]i|[numkMGTPE])?$')"
}

func addRule(schema map[string]any, rule, message string) {
	rules, _ := schema["x-kubernetes-validations"].([]any)
	schema["x-kubernetes-validations"] = append(rules, map[string]any{"rule": rule, "message": message})
}

// withoutRules takes rules out of what programs write: those on quantities, and all within lists. They come from types that
// people's kinds use too, and have been checked there. The API server takes a list for as long as it may become and adds up
// what the rules on all its elements could cost: a plan's hundreds of contracts would make a CRD that it refuses.
func withoutRules(schema map[string]any, inList bool) {
	if rules, ok := schema["x-kubernetes-validations"].([]any); ok {
		kept := slices.DeleteFunc(rules, func(r any) bool {
			rule, _ := r.(map[string]any)
			return inList || strings.Contains(fmt.Sprint(rule["rule"]), "uantity(")
		})
		if delete(schema, "x-kubernetes-validations"); len(kept) > 0 {
			schema["x-kubernetes-validations"] = kept
		}
	}
	for _, below := range []string{"items", "additionalProperties"} {
		if inner, ok := schema[below].(map[string]any); ok {
			withoutRules(inner, true)
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for name := range properties {
		withoutRules(property(schema, name), inList)
	}
}
