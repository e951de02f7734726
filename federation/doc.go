// Package federation is the host's wing of Hanse. It holds no code: the rooms below do the work, and cmd/federation wires
// them together.
//
// # The flow
//
//  1. An operator declares a Member. membership (Registrar) gives it the namespace hanse-member-NAME, and the key that is
//     admitted later, as user hanse:member:NAME:KEY, rights to that namespace, to its own Member object and to nothing else.
//  2. `kubectl hanse invite` writes an invitation into the Member's spec. While it stands there is a ServiceAccount
//     "invite" in the namespace, whose token can do one thing: create a CertificateSigningRequest under one of the Member's
//     sixteen names and read it back.
//  3. The organization's agent sends its request. membership (Approver) checks it by the name that the API server has
//     authenticated, writes the key's fingerprint into the Member's status, and only then approves. kube-controller-manager
//     signs. The agent's first Lease shows that the credential has arrived, and closes the door.
//  4. The agent renews its Lease; membership (Liveness) turns that into the condition Online.
//  5. Somebody declares Lines, a Consortium, Channels and Contracts. gather reads what concerns one Consortium from the
//     cache, plan computes one MemberPlan for each Member, consortium (Reconciler) applies those that differ, all at once.
//  6. Agents report in their plans' statuses and in their Member's. What one has published (root, record, a channel's
//     first block) goes into the others' plans by the same way as a changed specification: level-triggered, through 5.
//  7. consortium (Reporter), channel, contract and line fold the reports into the statuses that people read.
//
// Nothing here ever connects to a Member's cluster, holds a key, or decides for an organization.
//
// # Modes
//
// A MemberPlan is in one of two modes. As long as its Consortium stands, the plan says what is to be there; what a plan
// does not mention is never a reason to take anything down. Once the Consortium is being deleted, the last plan stays as
// it was with Retire set, and the agent takes everything down and says so.
//
// # Who writes what
//
// Every controller is a field manager of its own (see the constants named …Manager). A Member's status has four writers:
// its agent (root, agent, nodes, lines), Registrar (Registered), Approver (registration) and Liveness (Online,
// CredentialShared, the lines' summary). The chart's admission policy holds the agent to its part.
//
// # When things fail
//
//   - A Member's cluster or its road to the host is down: Online becomes Unknown, and so does every status that rests on
//     what that Member says. Nothing becomes False for that, nothing is deleted, and the plans stay where the agent finds
//     them.
//   - The host is down: agents work on from their mirrors. When it is back, the caches fill and everything is computed
//     anew; a Member that was in contact has one lease's time to show up before it counts as unheard of.
//   - The controller stops between two writes: plans follow from specs and reports alone, so the next run computes the
//     same ones. Two things are remembered in statuses and are safe to lose at any point: a registration is written before
//     the approval, so at worst the same key asks again; a contract's sequence can be read back from the plans.
//   - Two agents use one invitation: the registration is written against the resource version that was looked at, so one
//     of them is admitted, and the other's request is denied with the fingerprint of the key that was.
//   - A credential is stolen: it can be renewed for the same key only. A new invitation admits a new key, after which the
//     stolen one cannot be renewed; it ends with its certificate, in seven days at the most. Deleting the Member ends it at
//     once.
//   - A Member lies in its reports: it can make its own part look right or wrong. It cannot speak for another: reports are
//     taken from its own namespace and its own Member alone, a contract's sequence rises only when most members report the
//     commit, and a first block once planned never changes.
//   - A Member never takes its nodes down: the Consortium waits, and its Ready condition says for whom. Ways out: the
//     annotation federation.hanse.io/abandon=true lets go of those that cannot be reached; deleting the Member lets go of
//     that one in any case.
//   - Two controllers at once: leader election; and what both write is the same, or fails with a conflict.
package federation
