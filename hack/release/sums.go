package main

import (
	"context"
	"os"
	"strings"
)

// checksums writes SHA256SUMS over all files, as `sha256sum --check` reads it.
func (r *release) checksums(context.Context) error {
	files, err := folder(r.to)
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, file := range files {
		sum, err := fileSum(file.source)
		if err != nil {
			return err
		}
		lines.WriteString(sum + "  " + file.name + "\n")
	}
	return os.WriteFile(r.path("SHA256SUMS"), []byte(lines.String()), 0o644)
}
