// Package scale measures what the host's controller costs with many Members and Consortia: its memory, how long one changed
// Member takes until everything that depends on it is settled, and how long a restart takes. The controller and its API
// server are real; the Members' agents are not: their reports are written by this process, as each agent would write its
// own. It must not know how the controller does its work.
package scale
