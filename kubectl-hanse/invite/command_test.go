package invite

import (
	"strings"
	"testing"
)

const pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"

func TestCommand(t *testing.T) {
	sound := Installation{Member: "org1", Server: "https://10.0.0.1:6443", CA: []byte(pem), Token: "t.o.k", Chart: "./charts/member-agent"}
	for _, test := range []struct {
		why     string
		change  func(*Installation)
		refused string
	}{
		{why: "everything that is needed is there", change: func(*Installation) {}},
		{why: "plain http would send the token in the clear", change: func(i *Installation) { i.Server = "http://10.0.0.1" }, refused: "--host-server"},
		{why: "an empty server is no address", change: func(i *Installation) { i.Server = "" }, refused: "--host-server"},
		{why: "without an authority the agent could not tell the host from another", change: func(i *Installation) { i.CA = nil }, refused: "--host-ca-file"},
		{why: "a quote would end the shell's here-document early", change: func(i *Installation) { i.Chart = "x'\ny" }, refused: "quotes"},
	} {
		t.Run(test.why, func(t *testing.T) {
			installation := sound
			test.change(&installation)
			text, err := installation.Command()
			if test.refused != "" {
				if err == nil || !strings.Contains(err.Error(), test.refused) {
					t.Fatalf("got %v, want a refusal that names %s", err, test.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			line, _, _ := strings.Cut(text, "\n")
			if !strings.HasPrefix(line, "helm install member-agent ./charts/member-agent ") || strings.Contains(line, "t.o.k") {
				t.Errorf("the command line is %q: it has to install the chart and must not show the token", line)
			}
			if !strings.Contains(text, "token: t.o.k") || !strings.Contains(text, "name: org1") {
				t.Errorf("values are missing:\n%s", text)
			}
		})
	}
}

// What is run where there is a release already keeps that release's values, and names none that are not the host's.
func TestReplaceKeepsValues(t *testing.T) {
	text, err := Installation{Member: "org1", Server: "https://10.0.0.1:6443", CA: []byte(pem), Token: "t.o.k", Chart: "c", Replace: true}.Command()
	if err != nil {
		t.Fatal(err)
	}
	if line, _, _ := strings.Cut(text, "\n"); !strings.HasPrefix(line, "helm upgrade --install --reset-then-reuse-values member-agent c ") {
		t.Errorf("the command line is %q", line)
	}
	for line := range strings.Lines(text) {
		if section, top := strings.CutSuffix(line, ":\n"); top && section != "member" && section != "host" && section != "bootstrap" {
			t.Errorf("%s is the organization's own to set", section)
		}
	}
}

func TestChosenMSPID(t *testing.T) {
	i := Installation{Member: "org1", MSPID: "Org1", Server: "https://10.0.0.1:6443", CA: []byte(pem), Token: "t.o.k", Chart: "chart"}
	text, err := i.Command()
	if err != nil || !strings.Contains(text, "member:\n  name: org1\n  mspID: Org1\nhost:\n") {
		t.Errorf("the organization's own chart has to say the chosen MSP ID too: %v\n%s", err, text)
	}
}

func TestNonceDiffers(t *testing.T) {
	if a, b := nonce(), nonce(); a == b || len(a) != 20 {
		t.Fatalf("nonces %q and %q: want two different texts of 20 characters", a, b)
	}
}
