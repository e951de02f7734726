package v1alpha1

import "strings"

// MaxMessage is the length of a message in a MemberPlan's status, in bytes. The writer cuts off what is longer:
// the CRD would reject the whole status.
const MaxMessage = 1024

// Shorten puts a message on one line, and cuts off what is beyond MaxMessage.
func Shorten(message string) string {
	message = strings.Join(strings.Fields(message), " ")
	if len(message) <= MaxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:MaxMessage-3], "") + "…"
}

// Shorten cuts off what is too long for the API of every message in the status.
func (s *MemberPlanStatus) Shorten() {
	for i := range s.Conditions {
		s.Conditions[i].Message = Shorten(s.Conditions[i].Message)
	}
	for i := range s.Nodes {
		s.Nodes[i].Message = Shorten(s.Nodes[i].Message)
	}
	for i := range s.Channels {
		s.Channels[i].Message = Shorten(s.Channels[i].Message)
	}
	for i := range s.Contracts {
		s.Contracts[i].Message = Shorten(s.Contracts[i].Message)
	}
}
