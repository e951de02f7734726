package gitops

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
)

const configMapPath = "../../gitops/argocd/argocd-cm.yaml"

var update = flag.Bool("update", false, "write gitops/argocd/argocd-cm.yaml")

type condition struct {
	Type, Status, Reason string
}

// computed is what kstatus, and with it Flux, makes of the objects of testdata. It ends a health check at once when one is
// Failed: only what somebody has to act on may be. An object that the host has not looked at yet is not Current.
var computed = map[string]status.Status{
	"Member/online":                status.CurrentStatus,
	"Member/declared":              status.InProgressStatus,
	"Member/not-invited":           status.InProgressStatus,
	"Member/invited":               status.InProgressStatus,
	"Member/expired":               status.InProgressStatus,
	"Member/lost":                  status.InProgressStatus,
	"Member/credential-shared":     status.InProgressStatus,
	"Line/up":                      status.CurrentStatus,
	"Line/declared":                status.InProgressStatus,
	"Line/not-probed":              status.InProgressStatus,
	"Line/no-member":               status.InProgressStatus,
	"Line/down":                    status.InProgressStatus,
	"Line/address-taken":           status.FailedStatus,
	"Channel/ready":                status.CurrentStatus,
	"Channel/declared":             status.InProgressStatus,
	"Channel/changed":              status.InProgressStatus,
	"Channel/waiting":              status.InProgressStatus,
	"Channel/no-consortium":        status.InProgressStatus,
	"Channel/invalid":              status.FailedStatus,
	"Channel/first-block-refused":  status.FailedStatus,
	"Channel/lost":                 status.InProgressStatus,
	"Contract/ready":               status.CurrentStatus,
	"Contract/declared":            status.InProgressStatus,
	"Contract/changed":             status.InProgressStatus,
	"Contract/waiting":             status.InProgressStatus,
	"Contract/not-approved":        status.InProgressStatus,
	"Contract/no-channel":          status.InProgressStatus,
	"Contract/image-not-allowed":   status.FailedStatus,
	"Contract/crashes":             status.InProgressStatus,
	"Contract/lost":                status.InProgressStatus,
	"Consortium/ready":             status.CurrentStatus,
	"Consortium/declared":          status.InProgressStatus,
	"Consortium/waiting":           status.InProgressStatus,
	"Consortium/no-member":         status.InProgressStatus,
	"Consortium/name-taken":        status.FailedStatus,
	"Consortium/rollout-failed":    status.FailedStatus,
	"Consortium/plan-not-written":  status.InProgressStatus,
	"Consortium/lost":              status.InProgressStatus,
	"Consortium/deleted":           status.TerminatingStatus,
	"MemberPlan/ready":             status.CurrentStatus,
	"MemberPlan/changed":           status.InProgressStatus,
	"MemberPlan/waiting":           status.InProgressStatus,
	"MemberPlan/root-changed":      status.InProgressStatus,
	"MemberPlan/credential-shared": status.CurrentStatus,
	"MemberPlan/retiring":          status.InProgressStatus,
}

func TestKstatus(t *testing.T) {
	seen := 0
	for _, kind := range kinds(t) {
		files, err := filepath.Glob(filepath.Join(customizations, kind, "testdata", "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			seen++
			name := kind + "/" + strings.TrimSuffix(filepath.Base(file), ".yaml")
			got, err := status.Compute(object(t, file))
			if err != nil || got.Status != computed[name] {
				t.Errorf("%s is %+v, %v; want %q", name, got, err, computed[name])
			}
		}
	}
	if seen != len(computed) {
		t.Errorf("%d objects, %d rows", seen, len(computed))
	}
}

// TestTestdataIsReal holds that the test data has conditions and reasons of the API alone, and that the scripts do.
func TestTestdataIsReal(t *testing.T) {
	constants := apiConstants(t)
	for _, kind := range kinds(t) {
		files, err := filepath.Glob(filepath.Join(customizations, kind, "testdata", "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for _, c := range conditions(t, object(t, file)) {
				if !slices.Contains(constants, c.Type) || !slices.Contains(constants, c.Reason) {
					t.Errorf("%s: api/v1alpha1 has no condition %s with the reason %s", file, c.Type, c.Reason)
				}
			}
		}
		for line := range strings.Lines(string(read(t, customizations, kind, "health.lua"))) {
			if reason, listed := strings.CutSuffix(strings.TrimRight(strings.TrimSpace(line), ","), " = true"); listed && !slices.Contains(constants, reason) {
				t.Errorf("%s/health.lua: api/v1alpha1 has no reason %s", kind, reason)
			}
		}
	}
}

// apiConstants are the values of the string constants of the API.
func apiConstants(t *testing.T) (values []string) {
	t.Helper()
	files, err := filepath.Glob("../../api/v1alpha1/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no api/v1alpha1: ", err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, value)
			}
			return true
		})
	}
	return values
}
