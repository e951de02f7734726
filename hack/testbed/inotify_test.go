package testbed

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAllowInotify(t *testing.T) {
	for _, row := range []struct{ why, before, after string }{
		{"too few for two testbeds", "128\n", "1024"},
		{"enough", "8192\n", "8192\n"},
		{"just enough", "1024\n", "1024\n"},
	} {
		setting := filepath.Join(t.TempDir(), "max_user_instances")
		if err := os.WriteFile(setting, []byte(row.before), 0o600); err != nil {
			t.Fatal(err)
		}
		said := 0
		if err := allowInotify(setting, func(string, ...any) { said++ }); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(setting)
		if err != nil || string(got) != row.after || (said == 1) != (row.before != row.after) {
			t.Errorf("%s: %q, %v, said %d times", row.why, got, err, said)
		}
	}
	if err := allowInotify(filepath.Join(t.TempDir(), "none"), nil); err == nil {
		t.Error("a machine without the setting is no Linux that a testbed runs on")
	}
}
