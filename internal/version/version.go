// Package version is the version of this release of Hanse, which programs, charts, CRDs and images have in common. Its
// source is the file VERSION beside it: `make generate` writes it wherever else it has to stand. It must import nothing.
package version

import (
	_ "embed"
	"strings"
)

//go:embed VERSION
var file string

// Current is the version of the programs that are built from this tree, such as 0.2.0.
var Current = strings.TrimSpace(file)
