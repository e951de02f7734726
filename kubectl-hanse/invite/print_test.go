package invite

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/hanse-io/hanse/kubectl-hanse/output"
)

func TestPrint(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	installation := Installation{Member: "org1", Server: "https://10.0.0.1:6443", CA: []byte(pem), Token: "t.o.k", Chart: "c"}
	var text, document bytes.Buffer
	if err := (options{ttl: time.Hour, format: output.NewFormat("")}).print(&text, installation, now); err != nil {
		t.Fatal(err)
	}
	if err := (options{ttl: time.Hour, format: output.NewFormat("json")}).print(&document, installation, now); err != nil {
		t.Fatal(err)
	}
	var got struct {
		APIVersion, Kind string
		Invitation
	}
	if err := json.Unmarshal(document.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, document.String())
	}
	want := Invitation{Member: "org1", Server: "https://10.0.0.1:6443", CA: pem, Token: "t.o.k", Expires: "2026-01-01T13:00:00Z", Chart: "c", Command: text.String()}
	if got.Kind != "Invitation" || got.Invitation != want || !strings.HasPrefix(want.Command, "helm install") {
		t.Errorf("%+v, want %+v", got, want)
	}
}
