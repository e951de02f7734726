package documents

import (
	"fmt"
	"regexp"
	"strings"
)

// How a block is tested.
const (
	// Run: the end-to-end test runs the block as it stands, on the testbed.
	Run = "run"
	// DryRun: the same, but what changes something is asked of the API server with --dry-run=server.
	DryRun = "dry-run"
	// Setup: the end-to-end test's setup does the same.
	Setup = "setup"
	// Step: a step of the end-to-end test does the same; Test.Name names it.
	Step = "step"
	// GoTest: a test does the same; Test.Package and Test.Name name it.
	GoTest = "go test"
	// NotRun: no test can run it here; Test.Reason says why.
	NotRun = "not run"
)

// Test is what stands above a block in a comment: how it is tested.
type Test struct {
	Kind string
	// There: commands without a remark are for an organization's own cluster, and not for the host.
	There bool
	// Name of a step or of a test, and the test's package.
	Name, Package string
	Reason        string
}

var (
	ran     = regexp.MustCompile(`^test: (run|dry-run)( there)?$`)
	step    = regexp.MustCompile(`^test: step "([^"]+)"$`)
	goTest  = regexp.MustCompile(`^test: go test (\./[a-z0-9/-]+) -run (Test[A-Za-z0-9]+)$`)
	notRun  = regexp.MustCompile(`^not run: (.{10,})$`)
	unknown = `<!-- %s --> is none of: "test: run", "test: run there", "test: dry-run", "test: dry-run there", "test: setup", "test: step \"NAME\"", ` +
		`"test: go test ./PACKAGE -run TestNAME", "not run: REASON"`
)

// parseTest reads a comment. One that is not about tests is nil.
func parseTest(text string) (*Test, error) {
	if found := ran.FindStringSubmatch(text); found != nil {
		return &Test{Kind: found[1], There: found[2] != ""}, nil
	}
	if text == "test: setup" {
		return &Test{Kind: Setup}, nil
	}
	if found := step.FindStringSubmatch(text); found != nil {
		return &Test{Kind: Step, Name: found[1]}, nil
	}
	if found := goTest.FindStringSubmatch(text); found != nil {
		return &Test{Kind: GoTest, Package: found[1], Name: found[2]}, nil
	}
	if found := notRun.FindStringSubmatch(text); found != nil {
		return &Test{Kind: NotRun, Reason: found[1]}, nil
	}
	if strings.HasPrefix(text, "test") || strings.HasPrefix(text, "not run") {
		return nil, fmt.Errorf(unknown, text)
	}
	return nil, nil
}
