package harness

import "testing"

func TestLineManifests(t *testing.T) {
	const list = `[
  {"name": "org1-host", "index": 1, "ends": [{"cluster": "org1", "address": "10.200.0.1"}, {"cluster": "host", "address": "10.200.0.2"}]},
  {"name": "org1-org2-2", "index": 2, "ends": [{"cluster": "org1", "address": "10.200.0.9"}, {"cluster": "org2", "address": "10.200.0.10"}]}
]`
	const want = `---
apiVersion: federation.hanse.io/v1alpha1
kind: Line
metadata:
  name: org1-org2-2
spec:
  priority: 200
  ends:
  - member: org1
    address: 10.200.0.9
    port: 7443
  - member: org2
    address: 10.200.0.10
    port: 7443
`
	if got, err := lineManifests([]byte(list)); got != want || err != nil {
		t.Errorf("got %v\n%s", err, got)
	}
	if _, err := lineManifests([]byte("org1-org2 up")); err == nil {
		t.Error("a table is taken for JSON")
	}
}
