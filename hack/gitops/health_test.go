package gitops

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// customizations is laid out as Argo CD's own resource_customizations: GROUP/KIND/health.lua, with health_test.yaml and testdata.
const customizations = "../../gitops/argocd/federation.hanse.io"

// healthTests is the format of Argo CD's health_test.yaml.
type healthTests struct {
	Tests []struct {
		InputPath    string       `json:"inputPath"`
		HealthStatus healthStatus `json:"healthStatus"`
	} `json:"tests"`
}

type healthStatus struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// kinds are the directories of customizations.
func kinds(t *testing.T) []string {
	t.Helper()
	scripts, err := filepath.Glob(customizations + "/*/health.lua")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no health.lua in %s: %v", customizations, err)
	}
	all := make([]string, len(scripts))
	for i, script := range scripts {
		all[i] = filepath.Base(filepath.Dir(script))
	}
	return all
}

func read(t *testing.T, elements ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// object reads an object as Argo CD and kstatus get it from an API server: integers are int64.
func object(t *testing.T, elements ...string) *unstructured.Unstructured {
	t.Helper()
	text, err := yaml.YAMLToJSON(read(t, elements...))
	if err != nil {
		t.Fatal(err)
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestArgoHealth runs every row of every health_test.yaml, and has no test data without a row.
func TestArgoHealth(t *testing.T) {
	for _, kind := range kinds(t) {
		var tests healthTests
		if err := yaml.UnmarshalStrict(read(t, customizations, kind, "health_test.yaml"), &tests); err != nil {
			t.Fatal(err)
		}
		script, tested := string(read(t, customizations, kind, "health.lua")), map[string]bool{}
		for _, test := range tests.Tests {
			tested[filepath.Base(test.InputPath)] = true
			t.Run(kind+"/"+test.InputPath, func(t *testing.T) {
				o := object(t, customizations, kind, test.InputPath)
				if got := runHealth(t, script, o); got != test.HealthStatus || o.GetKind() != kind {
					t.Errorf("%s is %+v, want %+v", o.GetKind(), got, test.HealthStatus)
				}
			})
		}
		files, err := os.ReadDir(filepath.Join(customizations, kind, "testdata"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if !tested[file.Name()] {
				t.Errorf("%s/testdata/%s has no row in health_test.yaml", kind, file.Name())
			}
		}
	}
}

// TestOneRule holds the kinds to one script: their conditions mean the same.
func TestOneRule(t *testing.T) {
	first := read(t, customizations, kinds(t)[0], "health.lua")
	for _, kind := range kinds(t) {
		if string(read(t, customizations, kind, "health.lua")) != string(first) {
			t.Errorf("%s/health.lua is not that of %s: copy the one that you changed to all kinds", kind, kinds(t)[0])
		}
	}
}

// runHealth runs a script as Argo CD does for a customization from its ConfigMap: with the libraries base, package and table
// alone, the object as the global obj, and a second of time.
func runHealth(t *testing.T, script string, o *unstructured.Unstructured) healthStatus {
	t.Helper()
	l := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer l.Close()
	l.SetContext(t.Context())
	for name, open := range map[string]lua.LGFunction{lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		if err := l.CallByParam(lua.P{Fn: l.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	l.SetGlobal("obj", luaValue(l, o.Object))
	start := time.Now()
	if err := l.DoString(script); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("the script took %s; Argo CD stops it after a second", took)
	}
	table, ok := l.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("the script returns a %s, not a table", l.Get(-1).Type())
	}
	return healthStatus{lua.LVAsString(table.RawGetString("status")), lua.LVAsString(table.RawGetString("message"))}
}

// luaValue is a value of JSON in Lua.
func luaValue(l *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case bool:
		return lua.LBool(v)
	case string:
		return lua.LString(v)
	case int64:
		return lua.LNumber(v)
	case float64:
		return lua.LNumber(v)
	case []any:
		list := l.NewTable()
		for _, item := range v {
			list.Append(luaValue(l, item))
		}
		return list
	case map[string]any:
		table := l.NewTable()
		for _, key := range slices.Sorted(maps.Keys(v)) {
			table.RawSetString(key, luaValue(l, v[key]))
		}
		return table
	}
	return lua.LNil
}

// TestConfigMap holds that the ConfigMap for argocd-cm has the scripts as they are: -update writes it.
func TestConfigMap(t *testing.T) {
	want := configMap(t)
	if *update {
		if err := os.WriteFile(configMapPath, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if string(read(t, configMapPath)) != string(want) {
		t.Fatalf("%s does not have the scripts as they are: run go test ./... -update in hack/gitops", configMapPath)
	}
	var made struct {
		Data map[string]string `json:"data"`
	}
	if err := yaml.Unmarshal(want, &made); err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds(t) {
		if got := made.Data["resource.customizations.health.federation.hanse.io_"+kind]; got != string(read(t, customizations, kind, "health.lua")) {
			t.Errorf("%s: the ConfigMap has another script: %q", kind, got)
		}
	}
}

// configMap is the part of the ConfigMap argocd-cm that has the scripts.
func configMap(t *testing.T) []byte {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Written by go test ./... -update in hack/gitops. kubectl patch configmap argocd-cm -n argocd --patch-file argocd-cm.yaml\ndata:\n")
	for _, kind := range kinds(t) {
		b.WriteString("  resource.customizations.health.federation.hanse.io_" + kind + ": |\n")
		for line := range strings.Lines(string(read(t, customizations, kind, "health.lua"))) {
			if strings.TrimSpace(line) != "" {
				b.WriteString("    ")
			}
			b.WriteString(line)
		}
	}
	return []byte(b.String())
}

func conditions(t *testing.T, o *unstructured.Unstructured) []condition {
	t.Helper()
	list, _, err := unstructured.NestedSlice(o.Object, "status", "conditions")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	var all []condition
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}
