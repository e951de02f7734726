package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Fatal(err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Fatalf("error %v, want one with %q", err, want)
	}
}

func TestRunPicksTheProgramByName(t *testing.T) {
	rows := []struct {
		why, program string
		arguments    []string
		err          string
	}{
		{"its own name is none of the three", "ccaas-builder", nil, "not as"},
		{"a peer never runs chaincode of this type", "run", []string{"a", "b"}, "not as"},
		{"detect takes source and metadata", "detect", []string{"a"}, "takes 2"},
		{"build takes source, metadata and output", "build", []string{"a", "b"}, "takes 3"},
		{"release takes output and release", "release", []string{"a", "b", "c"}, "takes 2"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) { expect(t, run(row.program, row.arguments, ""), row.err) })
	}
}

func TestDetect(t *testing.T) {
	rows := []struct{ why, metadata, err string }{
		{"its own type", `{"type":"ccaas","label":"notary"}`, ""},
		{"the type in capitals counts too, as upstream", `{"type":"CCaaS"}`, ""},
		{"Go packages are for another builder", `{"type":"golang"}`, `"golang"`},
		{"no type", `{}`, `""`},
		{"no JSON", `type: ccaas`, "metadata.json"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "metadata.json"), row.metadata)
			expect(t, run("detect", []string{t.TempDir(), dir}, ""), row.err)
		})
	}
	expect(t, detect(t.TempDir()), "metadata.json")
}

func TestBuildAndRelease(t *testing.T) {
	rows := []struct{ why, connection, config, address, err string }{
		{"a plain address", `{"address":"notary.ns:9999","dial_timeout":"10s"}`, "", "notary.ns:9999", ""},
		{"a placeholder filled by the peer's environment", `{"address":"{{.peer}}-cc:9999"}`, `{"peer":"peer0"}`, "peer0-cc:9999", ""},
		{"a config that the package does not use", `{"address":"a:1"}`, `{"peer":"peer0"}`, "a:1", ""},
		{"a placeholder without a value", `{"address":"{{.other}}:9999"}`, `{"peer":"peer0"}`, "", "no such value"},
		{"a placeholder without any config", `{"address":"{{.peer}}:9999"}`, "", "", "placeholder"},
		{"a config that is no JSON", `{"address":"a:1"}`, "peer=peer0", "", configVariable},
		{"a broken placeholder", `{"address":"{{.peer:9999"}`, `{"peer":"p"}`, "", "address"},
		{"no address", `{"dial_timeout":"10s"}`, "", "", "address is missing"},
		{"TLS without a root to check it by", `{"address":"a:1","tls_required":true}`, "", "", "root_cert"},
		{"client authentication without a key", `{"address":"a:1","client_auth_required":true,"client_cert":"x"}`, "", "", "client_key"},
		{"no connection.json at all", "", "", "", "holds no connection.json"},
		{"no JSON", "address: a:1", "", "", "connection.json"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			source, output, released := t.TempDir(), t.TempDir(), t.TempDir()
			if row.connection != "" {
				write(t, filepath.Join(source, connectionFile), row.connection)
			}
			err := run("build", []string{source, t.TempDir(), output}, row.config)
			expect(t, err, row.err)
			if err != nil {
				return
			}
			expect(t, run("release", []string{output, released}, ""), "")
			data, err := os.ReadFile(filepath.Join(released, "chaincode", "server", connectionFile))
			if err != nil {
				t.Fatal(err)
			}
			var got connection
			if err := json.Unmarshal(data, &got); err != nil || got.Address != row.address {
				t.Errorf("released %s (%v), want the address %s", data, err, row.address)
			}
		})
	}
}

func TestIndexes(t *testing.T) {
	const index = "statedb/couchdb/indexes/owner.json"
	rows := []struct {
		why  string
		make func(t *testing.T, metaInf string)
		want string
		err  string
	}{
		{"indexes reach the release", func(t *testing.T, m string) { write(t, filepath.Join(m, index), "{}") }, index, ""},
		{"what is not of the state database stays behind", func(t *testing.T, m string) { write(t, filepath.Join(m, "other/x"), "") }, "", ""},
		{"no META-INF", func(*testing.T, string) {}, "", ""},
		{"a link could pull a file of the peer's into the release", func(t *testing.T, m string) {
			write(t, filepath.Join(m, "x"), "")
			if err := os.Symlink("/etc/passwd", filepath.Join(m, "link")); err != nil {
				t.Fatal(err)
			}
		}, "", "neither a file nor a directory"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			source, output, released := t.TempDir(), t.TempDir(), t.TempDir()
			write(t, filepath.Join(source, connectionFile), `{"address":"a:1"}`)
			row.make(t, filepath.Join(source, metaInf))
			err := build(source, output, "")
			expect(t, err, row.err)
			if err != nil {
				return
			}
			expect(t, release(output, released), "")
			_, err = os.Stat(filepath.Join(released, index))
			if (err == nil) != (row.want != "") {
				t.Errorf("index: %v", err)
			}
			if _, err := os.Stat(filepath.Join(released, "other")); err == nil {
				t.Error("META-INF/other was released")
			}
		})
	}
}
