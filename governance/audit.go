package governance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// maxLine is the size of one line of an archive: an entry with the votes and commits of as many members as there can be.
const maxLine = 2 * (maxMembers + 1) * v1alpha1.MaxStatementBytes

// archiveLine is one line of an archive: exactly one of its fields is set. Root certificates come before what they are needed
// for, the charter before the entries, and the entries in their order.
type archiveLine struct {
	// Root is a root certificate in PEM.
	Root string `json:"root,omitempty"`
	// Charter is what each founder has signed.
	Charter []v1alpha1.StatementSpec `json:"charter,omitempty"`
	Entry   *Entry                   `json:"entry,omitempty"`
}

// Archive writes a log as a file that Audit reads: a JSON object a line.
type Archive struct{ out *json.Encoder }

// NewArchive begins one with the root certificates of the founders and their charter.
func NewArchive(out io.Writer, roots Certificates, charter []v1alpha1.StatementSpec) (*Archive, error) {
	a := &Archive{json.NewEncoder(out)}
	if len(charter) == 0 {
		return nil, invalid("the charter is missing")
	}
	c, err := ParseCharter(&charter[0])
	if err != nil {
		return nil, err
	}
	if err := a.roots(roots, c.Members); err != nil {
		return nil, err
	}
	return a, a.out.Encode(archiveLine{Charter: charter})
}

// Append adds an entry, with the root certificates that it brings.
func (a *Archive) Append(e *Entry, roots Certificates) error {
	p, err := ParseProposal(&e.Proposal)
	if err != nil {
		return err
	}
	for _, m := range []*Member{p.Change.AddMember, p.Change.SetRoots} {
		if m == nil {
			continue
		}
		if err := a.roots(roots, []Member{*m}); err != nil {
			return err
		}
	}
	return a.out.Encode(archiveLine{Entry: e})
}

func (a *Archive) roots(roots Certificates, members []Member) error {
	for _, m := range members {
		for _, root := range m.Roots {
			if roots[root] == "" {
				return invalid("the root certificate %s of %s is not at hand", root, m.Name)
			}
			if err := a.out.Encode(archiveLine{Root: roots[root]}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Audit verifies an archive from the charter on and returns what is in force after its last entry. An error says in which
// line, and of which entry, what does not hold. charter is the digest of the charter as the auditor knows it, from one of the
// founders; if it is empty, the archive proves no more than that these keys agree with each other. each is called for every entry
// once it is verified.
func Audit(archive io.Reader, charter string, each func(*Entry)) (*State, error) {
	lines := bufio.NewScanner(archive)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	roots, state, number := Certificates{}, (*State)(nil), 0
	for lines.Scan() {
		number++
		var err error
		var entry *Entry
		if state, entry, err = state.read(lines.Bytes(), roots); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if entry != nil {
			each(entry)
		}
		if state != nil && charter != "" && state.Charter != charter {
			return nil, fmt.Errorf("line %d: %w", number, invalid("this is the log of another charter, %s", state.Charter))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", number+1, err)
	}
	if state == nil {
		return nil, invalid("the archive has no charter")
	}
	return state, nil
}

// read is the state after one more line of an archive, nil before the charter; and the entry, if the line has one.
func (s *State) read(text []byte, roots Certificates) (*State, *Entry, error) {
	var line archiveLine
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&line); err != nil {
		return nil, nil, invalid("not a line of an archive: %v", err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, invalid("more than one object in the line")
	}
	switch {
	case line.Root != "" && line.Charter == nil && line.Entry == nil:
		return s, nil, roots.Add(line.Root)
	case line.Root == "" && line.Charter != nil && line.Entry == nil && s == nil:
		founded, err := Found(line.Charter, roots)
		return founded, nil, err
	case line.Root == "" && line.Charter == nil && line.Entry != nil && s != nil:
		next, err := s.Append(line.Entry, roots)
		if err != nil {
			return nil, nil, fmt.Errorf("entry %d: %w", s.Position+1, err)
		}
		return next, line.Entry, nil
	default:
		return nil, nil, invalid("a line has a root, the charter (once, before the entries) or an entry")
	}
}
