package documents

import (
	"regexp"
	"strings"
)

var (
	separator = regexp.MustCompile(`(?m)^---\n`)
	kind      = regexp.MustCompile(`(?m)^kind: (\S+)$`)
)

// Manifests are the objects that the block holds: those of a block of YAML, and those that a command of it gets in a
// here-document. A page may leave out apiVersion and metadata of an object; a file of values is no manifest.
func (b Block) Manifests() []string {
	texts := []string{b.Text}
	if strings.HasPrefix(b.Info, "console") {
		texts = nil
		for _, command := range b.Commands() {
			if _, text, ok := strings.Cut(command.Text, "<<'EOF'\n"); ok {
				texts = append(texts, strings.TrimSuffix(text, "EOF"))
			}
		}
	} else if b.Info != "yaml" {
		return nil
	}
	var manifests []string
	for _, text := range texts {
		for _, manifest := range separator.Split(text, -1) {
			if KindOf(manifest) != "" {
				manifests = append(manifests, manifest)
			}
		}
	}
	return manifests
}

// KindOf is a manifest's kind; empty if it has none.
func KindOf(manifest string) string {
	if found := kind.FindStringSubmatch(manifest); found != nil {
		return found[1]
	}
	return ""
}
