package main

import (
	"cmp"
	"context"
	"debug/buildinfo"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
)

// sbom writes what each program was made of, as its own build information says, in CycloneDX's form.
func (r *release) sbom(context.Context) (err error) {
	var built []builtProgram
	for _, p := range r.programs {
		info, err := buildinfo.ReadFile(p.file)
		if err != nil {
			return err
		}
		b := builtProgram{name: p.name, on: p.on, goVersion: strings.TrimPrefix(info.GoVersion, "go")}
		for _, dep := range info.Deps {
			if dep.Replace != nil {
				dep = dep.Replace
			}
			b.modules = append(b.modules, module{dep.Path, dep.Version})
		}
		built = append(built, b)
	}
	out, err := os.Create(r.path("sbom.cdx.json"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return cyclonedx.NewBOMEncoder(out, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(newBOM(r.version, r.time, built))
}

// builtProgram is what a program says of itself.
type builtProgram struct {
	name, goVersion string
	on              platform
	modules         []module
}

type module struct{ path, version string }

func (m module) purl() string { return "pkg:golang/" + m.path + "@" + m.version }

// newBOM lists the programs, and below each the modules that are linked into it. It has no serial number: the same release
// has the same SBOM.
func newBOM(version string, at time.Time, programs []builtProgram) *cyclonedx.BOM {
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{
		Timestamp: at.Format(time.RFC3339),
		Component: &cyclonedx.Component{BOMRef: "hanse", Type: cyclonedx.ComponentTypeApplication, Name: "hanse", Version: version},
	}
	var components []cyclonedx.Component
	var dependencies []cyclonedx.Dependency
	var all []string
	seen := map[module]bool{}
	for _, p := range programs {
		ref := p.name + "/" + p.on.String()
		all = append(all, ref)
		components = append(components, cyclonedx.Component{
			BOMRef: ref, Type: cyclonedx.ComponentTypeApplication, Name: p.name, Version: version,
			Properties: &[]cyclonedx.Property{{Name: "platform", Value: p.on.String()}},
		})
		var uses []string
		for _, m := range append(p.modules, module{"std", p.goVersion}) {
			uses = append(uses, m.purl())
			seen[m] = true
		}
		dependencies = append(dependencies, cyclonedx.Dependency{Ref: ref, Dependencies: &uses})
	}
	slices.Sort(all)
	dependencies = append(dependencies, cyclonedx.Dependency{Ref: "hanse", Dependencies: &all})
	for m := range seen {
		components = append(components, cyclonedx.Component{
			BOMRef: m.purl(), Type: cyclonedx.ComponentTypeLibrary, Name: m.path, Version: m.version, PackageURL: m.purl(),
		})
	}
	slices.SortFunc(components, func(a, b cyclonedx.Component) int { return cmp.Compare(a.BOMRef, b.BOMRef) })
	slices.SortFunc(dependencies, func(a, b cyclonedx.Dependency) int { return cmp.Compare(a.Ref, b.Ref) })
	bom.Components, bom.Dependencies = &components, &dependencies
	return bom
}
