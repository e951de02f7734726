// Package propagation measures how long a declared change takes to reach the Member's agent, and the agent's answer to
// reach the host; and what an agent costs that has nothing to do. It goes by watches on both clusters, in one process
// with one clock, and must not know how anything is carried out.
package propagation
