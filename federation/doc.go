// Package federation contains the packages of the host's controller. It holds no code itself: cmd/federation adds the
// controllers of the packages below to a manager.
//
// # The flow
//
//  1. An operator declares a Member. membership (Registrar) creates its namespace hanse-member-NAME, and RBAC that gives the
//     key registered later, as user hanse:member:NAME:KEY, access to that namespace and its own Member object only.
//  2. `kubectl hanse invite` writes an invitation into the Member's spec. While it is open there is a ServiceAccount
//     "invite" in the namespace, whose token can only create a CertificateSigningRequest under one of the Member's sixteen
//     names and read it back.
//  3. The organization's agent sends its request. membership (Approver) validates it by the user name that the API server
//     has authenticated, writes the key's fingerprint into the Member's status, and only then approves.
//     kube-controller-manager signs. The agent's first Lease shows that it has its certificate, and closes the invitation.
//  4. The agent renews its Lease, from which membership (Liveness) computes the condition Online.
//  5. Lines, a Consortium, Channels and Contracts are declared. snapshot reads the inputs of one Consortium from the cache,
//     plan computes one MemberPlan for each Member, consortium (Reconciler) writes those that differ, in parallel. Before
//     the first, it creates the namespace hanse-shared-NAME, in which each Member's agent creates its own Statements (its
//     record, the first blocks that it holds, a first block) and reads the others'. The controller never reads one.
//  6. Agents report in the statuses of their plans and of their Member. What one has published (its root, the digests of its
//     statements) goes into the others' plans in the same way as a changed specification: level-triggered, through 5.
//  7. consortium (Reporter) aggregates the reports into the statuses of a Consortium, its Channels and its Contracts, line
//     into those of Lines; both with the package status.
//
// Nothing here connects to a Member's cluster, holds a key, or decides for an organization.
//
// # Modes
//
// A MemberPlan is in one of two modes. Until its Consortium is deleted, the plan lists what is to exist; nothing is deleted
// because a plan does not mention it. When the Consortium is being deleted, the last plan is kept with Retire set, and the
// agent removes everything and reports it.
//
// # Who writes what
//
// Every controller has its own field manager (see the constants named …Manager). A Member's status has four writers:
// its agent (root, agent, nodes, lines), Registrar (Registered), Approver (registration) and Liveness (Online,
// CredentialShared, the lines' summary). The chart's admission policy restricts the agent to its part.
//
// # When things fail
//
//   - A Member's cluster or its connection to the host is down: Online becomes Unknown, and so does every status that
//     depends on that Member's reports. Nothing becomes False, nothing is deleted, and the plans stay unchanged.
//   - The host is down: agents continue from their mirrors. When it is back, the caches sync and everything is computed
//     again; a Member that was online has one Lease's grace to renew before Online becomes Unknown.
//   - The controller stops between two writes: plans depend on specs and reports only, so the next run computes the same
//     ones. Two things are kept in statuses and may be lost at any point: a registration is written before the approval, so
//     at worst the same key sends its request again; a contract's sequence can be read from the plans.
//   - Two agents use one invitation: the registration is written with the resource version that was validated, so one of
//     them is registered, and the other's request is denied with the fingerprint of the registered key.
//   - A credential is stolen: it can be renewed for the same key only. A new invitation registers a new key, which revokes
//     the old key's access at once; its certificate expires within seven days. Deleting the Member revokes it too.
//   - A Member's reports are false: they affect its own part of the statuses only. Reports are read from its own namespace
//     and its own Member alone, a contract's sequence increases only when most members report the commit, and a planned
//     first block never changes.
//   - A Member fills the namespace for statements: its quota keeps newer statements of all Members off the host. They go on
//     by gossip, and the names of the statements say whose they are.
//   - A Member never removes its nodes: the Consortium's deletion waits, and its Ready condition names the Member. To
//     continue, set the annotation federation.hanse.io/abandon=true, with which Members that are not online are not waited
//     for, or delete the Member.
//   - Two controllers run at once: leader election prevents it; and both write the same, or one fails with a conflict.
package federation
