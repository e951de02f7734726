package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// TestEveryFieldHasItsRule walks the CRDs that are installed, and finds no field of the kinds in leaves that admits more
// than its Go type takes.
func TestEveryFieldHasItsRule(t *testing.T) {
	found := 0
	for _, folder := range []string{"federation", "member-agent"} {
		files, err := filepath.Glob("../../charts/" + folder + "/crds/*.yaml")
		if err != nil || len(files) == 0 {
			t.Fatalf("no CRDs of the chart %s: %v", folder, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			crd := map[string]any{}
			if err := yaml.Unmarshal(text, &crd); err != nil {
				t.Fatal(err)
			}
			err = visit(crd, walker{visit: func(schema map[string]any, kind leaf, _ reflect.Type, sentences bool, path string) error {
				found++
				if lack := lacks(schema, kind, sentences); lack != "" {
					t.Errorf("%s: %s has no %s: run make generate", folder, path, lack)
				}
				return nil
			}})
			if err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	if found < 100 {
		t.Errorf("the walk came by %d fields only: it does not see the schemas", found)
	}
}

// TestPlansListsHaveNoCEL: with the rules of what people write, on each of a plan's hundreds of contracts, the API server
// refuses the CRD, and nothing can be installed.
func TestPlansListsHaveNoCEL(t *testing.T) {
	text, err := os.ReadFile("../../charts/federation/crds/federation.hanse.io_memberplans.yaml")
	if err != nil {
		t.Fatal(err)
	}
	crd := map[string]any{}
	if err := yaml.Unmarshal(text, &crd); err != nil {
		t.Fatal(err)
	}
	versions, _ := crd["spec"].(map[string]any)["versions"].([]any)
	var look func(schema any, path string, inList bool)
	look = func(schema any, path string, inList bool) {
		fields, _ := schema.(map[string]any)
		if rules := fields["x-kubernetes-validations"]; inList && rules != nil {
			t.Errorf("%s has the rules %v: run make generate", path, rules)
		}
		for _, below := range []string{"items", "additionalProperties"} {
			if inner := fields[below]; inner != nil {
				look(inner, path+"[]", true)
			}
		}
		properties, _ := fields["properties"].(map[string]any)
		for name, below := range properties {
			look(below, path+"."+name, inList)
		}
	}
	for _, version := range versions {
		look(version.(map[string]any)["schema"].(map[string]any)["openAPIV3Schema"], "MemberPlan", false)
	}
}

// lacks names the rule that a schema should have and has not.
func lacks(schema map[string]any, kind leaf, sentences bool) string {
	pattern, _ := schema["pattern"].(string)
	rules := fmt.Sprint(schema["x-kubernetes-validations"])
	bounded := func(pattern0 string) string {
		switch {
		case schema["maxLength"] == nil:
			return "maxLength"
		case sentences && !strings.Contains(rules, pattern0):
			return "rule " + pattern0
		case !sentences && pattern != pattern0:
			return "pattern " + pattern0
		}
		return ""
	}
	switch kind {
	case integer:
		if schema["minimum"] == nil || schema["maximum"] == nil {
			return "minimum and maximum"
		}
	case quantity:
		if schema["minimum"] == nil || schema["maximum"] == nil {
			return "minimum and maximum for whole numbers"
		}
		return bounded(quantityPattern)
	case duration:
		return bounded(durationPattern)
	case instant:
		return bounded(instantPattern)
	case bytes:
		if pattern != bytesPattern {
			return "pattern " + bytesPattern
		}
	case conditions:
		if schema["maxItems"] == nil {
			return "maxItems"
		}
	case resources:
		if property(schema, "claims") != nil {
			return "schema without claims"
		}
	}
	return ""
}

var decoded = map[string]struct {
	pattern string
	bound   int
	into    func() any
}{
	"quantity": {quantityPattern, maxQuantity, func() any { return new(resource.Quantity) }},
	"duration": {durationPattern, maxDuration, func() any { return new(metav1.Duration) }},
	"instant":  {instantPattern, maxInstant, func() any { return new(metav1.Time) }},
	"bytes":    {bytesPattern, 1 << 20, func() any { return new([]byte) }},
}

// roundTrip decodes a text, encodes what it is, and decodes that.
func roundTrip(text string, into func() any) error {
	encoded, err := json.Marshal(text)
	if err != nil {
		return err
	}
	for range 2 {
		value := into()
		if err := json.Unmarshal(encoded, value); err != nil {
			return err
		}
		if encoded, err = json.Marshal(value); err != nil {
			return err
		}
	}
	return nil
}

// TestWhatIsAdmittedCanBeDecoded makes texts at random that the patterns admit: Go takes every one of them.
func TestWhatIsAdmittedCanBeDecoded(t *testing.T) {
	for name, c := range decoded {
		tree, err := syntax.Parse(c.pattern, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(1, 2))
		checked := 0
		for range 20000 {
			text := sample(tree, random)
			if len([]rune(text)) > c.bound || (name == "duration" && text == "") {
				continue
			}
			checked++
			if !regexp.MustCompile(c.pattern).MatchString(text) {
				t.Fatalf("%s: the generator made %q, which the pattern does not admit", name, text)
			}
			if err := roundTrip(text, c.into); err != nil {
				t.Errorf("%s: %q is admitted, and cannot be decoded: %v", name, text, err)
			}
		}
		if checked < 1000 {
			t.Errorf("%s: %d texts only", name, checked)
		}
	}
}

// sample makes a text that an expression admits.
func sample(e *syntax.Regexp, random *rand.Rand) string {
	repeat := func(least, most int) string {
		var b strings.Builder
		for range least + random.IntN(most-least+1) {
			b.WriteString(sample(e.Sub[0], random))
		}
		return b.String()
	}
	switch e.Op {
	case syntax.OpLiteral:
		return string(e.Rune)
	case syntax.OpCharClass:
		pair := random.IntN(len(e.Rune)/2) * 2
		return string(e.Rune[pair] + rune(random.IntN(int(e.Rune[pair+1]-e.Rune[pair])+1)))
	case syntax.OpCapture:
		return sample(e.Sub[0], random)
	case syntax.OpQuest:
		return repeat(0, 1)
	case syntax.OpStar:
		return repeat(0, 6)
	case syntax.OpPlus:
		return repeat(1, 6)
	case syntax.OpRepeat:
		return repeat(e.Min, e.Max)
	case syntax.OpAlternate:
		return sample(e.Sub[random.IntN(len(e.Sub))], random)
	case syntax.OpConcat:
		var b strings.Builder
		for _, sub := range e.Sub {
			b.WriteString(sample(sub, random))
		}
		return b.String()
	}
	return ""
}

func TestWhatCannotBeDecodedIsNotAdmitted(t *testing.T) {
	for _, c := range []struct{ why, kind, text string }{
		{"a unit in words", "duration", "2 seconds"},
		{"no unit", "duration", "10"},
		{"a day, which is none of Go's units", "duration", "1d"},
		{"capitals", "duration", "2S"},
		{"less than nothing", "duration", "-1s"},
		{"more than 292 years", "duration", "9999999999h"},
		{"as the ISO writes it", "duration", "PT2S"},
		{"an exponent beyond every number", "quantity", "1e99999999999999999999"},
		{"an exponent that makes a comparison take all memory", "quantity", "1e999999"},
		{"a small letter", "quantity", "5g"},
		{"the unit that disks are sold in", "quantity", "5GB"},
		{"a blank", "quantity", "5 Gi"},
		{"a comma", "quantity", "1,5Gi"},
		{"less than nothing", "quantity", "-1"},
		{"words", "quantity", "lots"},
		{"a small t", "instant", "2026-01-31t12:00:00Z"},
		{"a small z", "instant", "2026-01-31T12:00:00z"},
		{"a leap second", "instant", "2016-12-31T23:59:60Z"},
		{"a blank for the T", "instant", "2026-01-31 12:00:00Z"},
		{"no zone", "instant", "2026-01-31T12:00:00"},
		{"a day that there is not", "instant", "2026-02-29T12:00:00Z"},
		{"a year before all, which UTC would make negative", "instant", "0000-01-01T00:00:00+23:59"},
		{"the last year, which UTC would make five digits long", "instant", "9999-12-31T23:59:59-23:59"},
		{"half of a group", "bytes", "YQ="},
		{"letters of another alphabet", "bytes", "_-=="},
	} {
		if regexp.MustCompile(decoded[c.kind].pattern).MatchString(c.text) {
			t.Errorf("%s: %s %q is admitted", c.why, c.kind, c.text)
		}
	}
}

func TestWhatPeopleWriteIsAdmitted(t *testing.T) {
	for kind, texts := range map[string][]string{
		"duration": {"500ms", "2s", "1m30s", "1.5h", "0.5s", "1h0m0.5s", "100µs", "20ns"},
		"quantity": {"5Gi", "500m", "2", "0.5", "1e3", "64Mi", "1.5Gi", "100k", "+1"},
		"instant":  {"2026-01-31T12:00:00Z", "2024-02-29T23:59:59.123456789+01:00"},
		"bytes":    {"", "aGFuc2U=", "YQ=="},
	} {
		for _, text := range texts {
			if !regexp.MustCompile(decoded[kind].pattern).MatchString(text) {
				t.Errorf("%s %q is not admitted", kind, text)
			}
			if err := roundTrip(text, decoded[kind].into); err != nil {
				t.Errorf("%s %q: %v", kind, text, err)
			}
		}
	}
}
