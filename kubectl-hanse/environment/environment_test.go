package environment

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExports(t *testing.T) {
	got := exports(map[string]string{"FOLDER": "/home/o'neil/org1", "ADDRESS": "peer0:7051"})
	if want := "export ADDRESS='peer0:7051'\nexport FOLDER='/home/o'\\''neil/org1'\n"; got != want {
		t.Errorf("a quote in a path must not break out of the shell's quoting:\n%s", got)
	}
}

func TestFolder(t *testing.T) {
	parent := t.TempDir()
	folder, err := usable(filepath.Join(parent, "org1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := write(folder, map[string][]byte{"core.yaml": nil, "msp/keystore/key.pem": []byte("k")}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(folder, "msp/keystore/key.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %v (%v): nobody else may read it", info.Mode(), err)
	}
	for why, path := range map[string]string{
		"is not empty":               folder,
		"cannot be used as a folder": filepath.Join(folder, "core.yaml"),
		"cannot be used":             filepath.Join(folder, "core.yaml", "below"),
	} {
		if _, err := usable(path); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
