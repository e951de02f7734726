//go:build integration

package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
)

const charts = "../../charts/"

// render has helm render the controller's chart.
func render(values string) (string, error) {
	helm := exec.Command(filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "helm"), "template", "federation", charts+"federation", "--namespace", "hanse-system", "--values", "-")
	helm.Stdin = strings.NewReader(values)
	out, err := helm.CombinedOutput()
	return string(out), err
}

// TestChartRejects checks that helm says what is wrong and what to write instead, for values that the controller or the
// cluster would not accept.
func TestChartRejects(t *testing.T) {
	for _, c := range []struct{ why, values, name, remedy string }{
		{"no replicas", `replicas: 0`, "replicas", "want 1"},
		{"no workers", `workers: 0`, "workers", "want 1"},
		{"a number as text", `workers: "16"`, "workers", "want integer"},
		{"a repository with a tag", `image: {repository: "ghcr.io/hanse-io/hanse-federation:1"}`, "image.repository", "image.tag"},
		{"a tag with a blank", `image: {tag: "0.1.0 "}`, "image.tag", "leave it empty"},
		{"half a digest", `image: {digest: "sha256:0123"}`, "image.digest", "64 hexadecimal digits"},
		{"a policy that there is not", `image: {pullPolicy: always}`, "image.pullPolicy", "'IfNotPresent'"},
		{"a pull secret that no Secret can be called", `imagePullSecrets: [My_Secret]`, "imagePullSecrets[0]", "name of a Secret"},
		{"a registry with a scheme", `global: {imageRegistry: "https://registry.example.com"}`, "global.imageRegistry", "no scheme"},
		{"a registry with a slash behind it", `global: {imageRegistry: "registry.example.com/"}`, "global.imageRegistry", "no slash"},
		{"memory in a unit that there is not", `resources: {limits: {memory: 512MB}}`, "resources.limits.memory", "512Mi"},
		{"a template that there is not", `contracts: {images: {casino: "example.com/casino:1"}}`, "contracts.images", "'casino' not allowed"},
		{"no image", `contracts: {images: {notary: ""}}`, "contracts.images.notary", "registry.example.com/contract-notary"},
		{"two images in one, which the flag would take apart", `contracts: {images: {notary: "a/b:1,asset=c/d:1"}}`, "contracts.images.notary", "an image with a tag"},
		{"a quotation mark, which the flag would not take", `contracts: {images: {asset: 'a/"b:1'}}`, "contracts.images.asset", "an image with a tag"},
		{"half a digest of a contract", `contracts: {images: {asset: "a/b@sha256:01"}}`, "contracts.images.asset", "an image with a tag"},
		{"a level that is none", `log: {level: loud}`, "log.level", "'debug'"},
		{"a format that is none", `log: {format: xml}`, "log.format", "'json'"},
		{"a word that is no truth value", `metrics: {service: "no"}`, "metrics.service", "want boolean"},
		{"an interval that is none", `monitoring: {interval: often}`, "monitoring.interval", "1h30m"},
		{"a label without a value that labels have", `monitoring: {labels: {release: "a b"}}`, "monitoring.labels.release", "63 letters"},
		{"a label that the chart's own Service goes by", `podLabels: {app.kubernetes.io/instance: other}`, "podLabels", "leave it out"},
		{"no value of a label", `nodeSelector: {zone: "a b"}`, "nodeSelector.zone", "63 letters"},
		{"a toleration that is misspelt", `tolerations: [{keys: a}]`, "tolerations.0", "'keys' not allowed"},
		{"no name of a class", `priorityClassName: High Priority`, "priorityClassName", "system-cluster-critical"},
		{"a value that does not exist", `replica: 2`, "", "'replica' not allowed"},
		{"a value that was taken out", `log: null`, "", "'log'"},
	} {
		out, err := render(c.values)
		_, message, _ := strings.Cut(out, "Error:")
		named := strings.Contains(message, c.name) || strings.Contains(message, "/"+strings.ReplaceAll(c.name, ".", "/"))
		if err == nil || !named || !strings.Contains(message, c.remedy) {
			t.Errorf("%s: %v: want %s and %q in\n%.600s", c.why, err, c.name, c.remedy, out)
		}
		if strings.Contains(message, "[0-9]") || strings.Contains(message, "pattern") {
			t.Errorf("%s: a regular expression is no sentence: %.600s", c.why, message)
		}
	}
}

// TestProgramAcceptsChartValues lets helm render values at the limits of what it accepts, and the controller parse the
// result, so that chart and program stay consistent.
func TestProgramAcceptsChartValues(t *testing.T) {
	for _, c := range []struct{ why, values, becomes string }{
		{"the defaults", ``, "--workers=16"},
		{"the most", `{replicas: 5, workers: 64}`, "--workers=64"},
		{"the least", `{replicas: 1, workers: 1}`, "--workers=1"},
		{"images of contracts", `contracts: {images: {notary: "localhost:5000/contract-notary:0.1.0@sha256:` + strings.Repeat("0", 64) + `", asset: contract_asset}}`, "--contract-images=asset=contract_asset"},
		{"logs", `log: {level: warn, format: text}`, "--log-format=text"},
		{"everything that can be left out", `{admissionPolicy: false, priorityAndFairness: false, metrics: {service: false}, resources: {}}`, ""},
		{"pods", `{image: {digest: "sha256:` + strings.Repeat("a", 64) + `"}, imagePullSecrets: ["123"], podLabels: {team: a}, podAnnotations: {a: b c}, nodeSelector: {a: "true"}, tolerations: [{operator: Exists}], priorityClassName: "123", resources: {limits: {memory: 1Gi}}}`, ""},
	} {
		out, err := render(c.values)
		if err != nil {
			t.Errorf("%s: %v\n%.2000s", c.why, err, out)
			continue
		}
		if args := parsedByProgram(t, c.why, out); !strings.Contains(args, c.becomes) {
			t.Errorf("%s: nobody is given %s: %s", c.why, c.becomes, args)
		}
	}
}

// parsedByProgram lets the controller parse what the chart has rendered, and returns its arguments.
func parsedByProgram(t *testing.T, why, rendered string) (args string) {
	t.Helper()
	strict := serializer.NewCodecFactory(clientgoscheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(rendered)))
	for {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return args
		}
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := strict.Decode(text, nil, nil)
		if err != nil {
			t.Errorf("%s: the cluster would not take\n%s\n%v", why, text, err)
		}
		d, ok := object.(*appsv1.Deployment)
		if !ok {
			continue
		}
		o := defaults()
		flags := pflag.NewFlagSet("federation", pflag.ContinueOnError)
		o.addFlags(flags)
		given := d.Spec.Template.Spec.Containers[0].Args
		if err := errors.Join(flags.Parse(given), o.validate()); err != nil {
			t.Errorf("%s: the controller does not take %q: %v", why, given, err)
		}
		args = strings.Join(given, " ")
	}
}

// TestChartsHaveTheSameChecks checks that the file _checks.tpl is the same in both charts.
func TestChartsHaveTheSameChecks(t *testing.T) {
	var files [2][]byte
	for i, chart := range []string{"federation", "member-agent"} {
		var err error
		if files[i], err = os.ReadFile(charts + chart + "/templates/_checks.tpl"); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("_checks.tpl of the two charts differs: copy one over the other")
	}
}
