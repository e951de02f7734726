// Package host is the only package of the agent that talks to the host cluster: it registers the organization, mirrors
// the host's plans into the organization's own cluster, renews its Lease, and reports the status of the plans.
//
// Three rules apply. The agent connects to the host, never the other way round. A mirror is deleted only when its plan
// was retired here and then deleted on the host: neither a missing plan nor an unreachable host is a reason to delete
// anything. And nothing else in the agent waits for this package: without a host it retries for ever, while the rest
// works from the mirrors.
//
// It must know nothing of ledgers, certificates of nodes, or of how a plan is reconciled.
package host
