package governance

import (
	"regexp"
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// pinnedImage is an image that is named by its digest.
var pinnedImage = regexp.MustCompile(`^[^\s@]{1,400}@sha256:[0-9a-f]{64}$`)

const maxCollections = 16

// setChannel makes a channel, or changes one. A channel that is archived stays so.
func (s *State) setChannel(c Channel) error {
	if !isMemberName(c.Name) {
		return invalid("%.60q is not the name of a channel", c.Name)
	}
	if s.Archived[c.Name] {
		return invalid("channel %s is archived: take another name", c.Name)
	}
	for _, list := range []struct {
		what  string
		names []string
	}{{"members", c.Members}, {"orderers", c.Orderers}} {
		if len(list.names) == 0 {
			return invalid("channel %s has no %s", c.Name, list.what)
		}
		if err := s.members("channel "+c.Name+", "+list.what, list.names); err != nil {
			return err
		}
	}
	if !slices.Contains(c.Members, c.Leader) {
		return invalid("channel %s: its leader %.60q is not one of its members", c.Name, c.Leader)
	}
	if err := among("channel "+c.Name, c.Endorsement.Members, c.Members); err != nil {
		return err
	}
	s.Channels[c.Name] = c
	return nil
}

// setContract deploys a contract, or changes its definition.
func (s *State) setContract(c Contract) error {
	channel, found := s.Channels[c.Channel]
	switch {
	case !found || s.Archived[c.Channel]:
		return invalid("contract %.60q: there is no channel %.60q in use", c.Name, c.Channel)
	case !v1alpha1.IsLabel(c.Name) || c.Version == "" || len(c.Version) > 128:
		return invalid("contract %.60q with the version %.60q: give a name and a version", c.Name, c.Version)
	case !pinnedImage.MatchString(c.Image):
		return invalid("contract %s: image %.200q is not named by its digest: write NAME@sha256:…", c.Name, c.Image)
	case len(c.Collections) > maxCollections:
		return invalid("contract %s has %d collections, where %d are the most", c.Name, len(c.Collections), maxCollections)
	}
	if err := among("contract "+c.Name, c.Endorsement.Members, channel.Members); err != nil {
		return err
	}
	for i, collection := range c.Collections {
		if i > 0 && c.Collections[i-1].Name >= collection.Name {
			return invalid("contract %s: sort its collections by name, and name none twice", c.Name)
		}
		if err := among("collection "+collection.Name, collection.Members, channel.Members); err != nil {
			return err
		}
	}
	s.Contracts[ContractKey{c.Channel, c.Name}] = c
	return nil
}

// members checks that names are sorted and all of them members.
func (s *State) members(what string, names []string) error {
	if err := sortedNames(what, names); err != nil {
		return err
	}
	return among(what, names, s.Names())
}

func among(what string, names, all []string) error {
	for _, name := range names {
		if !slices.Contains(all, name) {
			return invalid("%s: %.60q is not a member", what, name)
		}
	}
	return nil
}
