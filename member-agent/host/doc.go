// Package host is the only room of the agent that talks to the host cluster: it registers the organization, mirrors the
// plans that the host has for it into its own cluster, renews its Lease, and reports back what has become of the plans.
//
// It holds three rules. The agent comes to the host, never the other way round. A mirror goes only when its plan was
// retired here and then left the host: neither a plan that is gone nor a host that is out of reach is a reason to
// delete anything. And nothing else in the agent waits for this room: without a host it tries again for ever, while
// the rest works from the mirrors.
//
// It must know nothing of ledgers, certificates of nodes, or of what a plan is carried out with.
package host
