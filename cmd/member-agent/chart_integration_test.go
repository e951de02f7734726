//go:build integration

package main

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestValuesOfTheChart renders the chart with values as people mistype them: each is refused with a reason.
func TestValuesOfTheChart(t *testing.T) {
	helm := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "helm")
	ca := base64.StdEncoding.EncodeToString([]byte("-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"))
	for _, c := range []struct{ why, set, says string }{
		{"as an invitation has it", "", ""},
		{"the longest times", "agent.leaseDuration=10m,agent.leaseInterval=9m59s,agent.credentialLifetime=168h", ""},
		{"a name that is none", "member.name=Org 1", "cannot be a Member's name"},
		{"no name", "member.name=", "member.name is needed"},
		{"a host without a scheme", "host.server=host.example:6443", "no URL of an API server"},
		{"a host in plain text", "host.server=http://host.example", "no URL of an API server"},
		{"no authority", "host.caData=", "host.caData is needed"},
		{"an authority that is no base64", "host.caData=xyz", "not the base64 of a PEM certificate"},
		{"an authority that is the base64 of something else", "host.caData=aGFuc2U=", "not the base64 of a PEM certificate"},
		{"a lease that ends before it is renewed", "agent.leaseDuration=30s", "has to be longer than agent.leaseInterval"},
		{"one that ends as it is renewed", "agent.leaseDuration=60s", "has to be longer than agent.leaseInterval"},
		{"one of an hour", "agent.leaseDuration=1h", "longer than the 10m"},
		{"a renewal at every moment", "agent.leaseInterval=0s", "leaseInterval is nothing"},
		{"a time in words", "agent.leaseInterval=1 minute", "is no duration"},
		{"a time without a unit", "agent.leaseInterval=60", "leaseInterval"},
		{"a credential for a month", "agent.credentialLifetime=720h", "not between 10m and 168h"},
		{"a credential for a moment", "agent.credentialLifetime=1m", "not between 10m and 168h"},
		{"nobody works", "agent.replicas=0", "replicas"},
		{"no workers", "agent.workers=0", "workers"},
		{"a port that is none", "gateway.service.nodePort=99999", "nodePort"},
		{"a port that others have", "gateway.service.nodePort=80", "nodePort"},
		{"a kind of Service that there is not", "gateway.service.type=ClusterIP", "type"},
		{"a level that is none", "log.level=loud", "level"},
		{"approval in small letters", "policy.contractApproval=byhand", "contractApproval"},
		{"a value that is none", "agent.replica=2", "replica"},
		{"memory in MB", "gateway.resources.limits.memory=512MB", "such as 500m or 64Mi"},
	} {
		t.Run(c.why, func(t *testing.T) {
			args := []string{"template", "x", "../../charts/member-agent", "--namespace", "hanse-system",
				"--set", "member.name=org1,host.server=https://host.example:6443,host.caData=" + ca}
			if c.set != "" {
				args = append(args, "--set", c.set)
			}
			out, err := exec.Command(helm, args...).CombinedOutput()
			if (err == nil) != (c.says == "") || !strings.Contains(string(out), c.says) {
				t.Errorf("got %v, want %q in\n%.2000s", err, c.says, out)
			}
		})
	}
}
