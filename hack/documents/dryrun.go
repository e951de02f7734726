package documents

import "regexp"

var (
	changes  = regexp.MustCompile(`\bkubectl((?: -n \S+)?) (apply|patch|label|annotate|create|delete)\b`)
	upgrades = regexp.MustCompile(`\bhelm (install|upgrade)\b`)
	digest   = regexp.MustCompile(`\bDIGEST\b`)
)

// exampleDigest stands where a reader writes a digest of their own.
const exampleDigest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// AsDryRun has the API server answer what changes something as if it were done: validated, admitted and not stored. Commands that
// only read stay as they are.
func (c Command) AsDryRun() Command {
	c.Text = changes.ReplaceAllString(c.Text, "kubectl$1 $2 --dry-run=server")
	c.Text = upgrades.ReplaceAllString(c.Text, "helm $1 --dry-run=server")
	c.Text = digest.ReplaceAllString(c.Text, exampleDigest)
	return c
}

// readsOnly is a command that changes nothing, and has nothing in it that a reader would have to put in.
var (
	readsOnly   = regexp.MustCompile(`^kubectl(?: -n \S+)? (?:get|describe|explain) [^|;&<>…\\]+$`)
	placeholder = regexp.MustCompile(`(?:^|[ =/])[A-Z]{2,}(?:$|[ /])`)
)

// IsReadOnly says that a command can be run anywhere without a change: kubectl's get, describe and explain, alone.
func (c Command) IsReadOnly() bool {
	return readsOnly.MatchString(c.Text) && !placeholder.MatchString(c.Text)
}

var (
	code = regexp.MustCompile("(?s)```.*?```")
	span = regexp.MustCompile("`([^`\n]+)`")
)

// Spans are the commands that stand as code in the page's text, beside its blocks.
func (p Page) Spans() []Command {
	var commands []Command
	for _, found := range span.FindAllStringSubmatch(code.ReplaceAllString(p.Text, ""), -1) {
		commands = append(commands, Command{Text: found[1]})
	}
	return commands
}
