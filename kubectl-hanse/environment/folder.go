package environment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// usable makes the folder, so that nothing secret is read that could not be written, and returns its full path.
func usable(folder string) (string, error) {
	full, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	entries, err := os.ReadDir(full)
	if len(entries) > 0 {
		return "", fmt.Errorf("%s is not empty: give --out a new folder, or remove this one", full)
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.MkdirAll(full, 0o700)
	}
	if err != nil {
		return "", fmt.Errorf("--out %s cannot be used as a folder: %w", full, err)
	}
	return full, nil
}

func write(folder string, files map[string][]byte) error {
	for name, data := range files {
		path := filepath.Join(folder, name)
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if err == nil {
			err = os.WriteFile(path, data, 0o600)
		}
		if err != nil {
			return fmt.Errorf("write to --out: %w; remove %s before another try, for it may hold a key", err, folder)
		}
	}
	return os.Chmod(folder, 0o700)
}
