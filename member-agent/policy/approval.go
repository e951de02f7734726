package policy

import "fmt"

// Approval is how an organization approves a contract's definition on a channel.
type Approval string

const (
	// Automatic approves what the host declares, if the image is allowed.
	Automatic Approval = "Automatic"
	// ByHand approves what a person has approved in the organization's own cluster, and nothing else.
	ByHand Approval = "ByHand"
)

// Validate fails if it is neither.
func (a Approval) Validate() error {
	switch a {
	case Automatic, ByHand:
		return nil
	}
	return fmt.Errorf("%q is not a mode of approval: use %s or %s", string(a), Automatic, ByHand)
}
