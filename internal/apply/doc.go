// Package apply writes objects and statuses by server-side apply, with one field manager for each controller, and skips
// writes that would change nothing: by comparing with a cached object (ApplyIfChanged), or by remembering what was applied
// (Applier), so that a reconciler may apply everything in every turn. Objects with one writer and many writes are replaced
// as a whole (CreateOrReplace). It also ends a Reconcile: status, events for condition transitions, conflicts.
//
// It must know nothing of what the objects mean.
package apply
