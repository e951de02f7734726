//go:build e2e

package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/hack/harness"
)

// approvalWanted is what the agent asks a person to say of a contract's definition.
var approvalWanted = regexp.MustCompile(`approval\.federation\.hanse\.io/\S+=[0-9a-f]{64}\b`)

// pinnedImage is an image that is named by its digest.
var pinnedImage = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)

// approvedByHand has one organization approve contracts by hand: what the host declares waits for a person there, what
// runs runs on, and what the person has approved is done.
func approvedByHand(t *testing.T, s *harness.Harness) {
	careful := s.Members[len(s.Members)-1]
	load := start(t, s, s.Members[0], "by-hand")
	byDigest(t, s, careful)
	load.goesOn(t, 1)
	before := workloads(t, s)[careful]
	approval := func(how string) {
		must2(t)(s.Helm(t.Context(), careful, "upgrade", "member-agent", "charts/member-agent", "--namespace", "hanse-system",
			"--reuse-values", "--set", "policy.contractApproval="+how, "--wait", "--timeout", "5m"))
	}
	approval("ByHand")
	said := func() (string, error) {
		return tryGet(t, s, "host", `{.status.conditions[?(@.type=="ContractsReady")]['status','reason']}`, "-n", "hanse-member-"+careful, "memberplan", "trade")
	}
	eventually(t, careful+" asks for its own people's word, and tells the host", func() error {
		got, err := said()
		if err == nil && got != "False NotApproved" {
			err = fmt.Errorf("ContractsReady: %s", got)
		}
		return err
	})
	load.goesOn(t, 1)
	if now := workloads(t, s)[careful]; now != before {
		t.Errorf("what runs was changed from\n%s\nto\n%s", before, now)
	}
	eventually(t, "what a person there approves is done", func() error {
		asked, err := tryGet(t, s, careful, `{.status.contracts[*].message}`, "-n", "hanse-system", "memberplan", "trade")
		if err != nil {
			return err
		}
		for _, word := range approvalWanted.FindAllString(asked, -1) {
			if _, err := s.Kubectl(t.Context(), careful, "-n", "hanse-system", "annotate", "--overwrite", "memberplan", "trade", word); err != nil {
				return err
			}
		}
		got, err := said()
		if err == nil && !strings.HasPrefix(got, "True ") {
			err = fmt.Errorf("ContractsReady: %s; asked for: %s", got, asked)
		}
		return err
	})
	load.goesOn(t, 1)
	approval("Automatic")
	eventually(t, "the consortium is ready", isReady(t, s, "consortium", "trade"))
}

// contractImages are the images of an organization's contracts by their names.
func contractImages(t *testing.T, s *harness.Harness, member, path string) (map[string]string, error) {
	label := strings.ReplaceAll(v1alpha1.LabelContract, ".", `\.`)
	out, err := tryGet(t, s, member, fmt.Sprintf(`{range .items[*]}{.metadata.labels.%s} {%s}{"\n"}{end}`, label, path), "-n", "hanse-trade", "pods", "-l", v1alpha1.LabelContract)
	images := map[string]string{}
	for line := range strings.Lines(out) {
		if name, image, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			images[name] = image
		}
	}
	return images, err
}

// byDigest has the host name the contracts' images by digest, as organizations that approve by hand ask for: that of the
// template by its chart, the others by their Contracts. The digests are those that run already. It waits until nothing else
// runs.
func byDigest(t *testing.T, s *harness.Harness, member string) {
	ids, err := contractImages(t, s, member, ".status.containerStatuses[0].imageID")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := ids["notary"]; !ok {
		t.Fatalf("%s runs no notary: %v", member, ids)
	}
	for name, id := range ids {
		if !pinnedImage.MatchString(id) {
			t.Fatalf("what runs as contract %s in %s is known by no digest: %q", name, member, id)
		}
		if name != "notary" {
			if err := s.Apply(t.Context(), "host", contractOf(name, id)); err != nil {
				t.Fatal(err)
			}
		}
	}
	must2(t)(s.Helm(t.Context(), "host", "upgrade", "federation", "charts/federation", "--namespace", "hanse-system", "--reuse-values",
		"--set", "contracts.images.notary="+ids["notary"], "--wait", "--timeout", "5m"))
	for name := range ids {
		eventually(t, name+" runs and is committed with an image by digest", isReady(t, s, "contract", name))
	}
	eventually(t, "what was committed before is taken down", func() error {
		images, err := contractImages(t, s, member, ".spec.containers[0].image")
		for name, image := range images {
			if !pinnedImage.MatchString(image) {
				return fmt.Errorf("%s still runs %s for %s", member, image, name)
			}
		}
		return err
	})
}
