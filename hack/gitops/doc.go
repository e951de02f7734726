// Package gitops tests what GitOps tools make of Hanse's objects: Argo CD's health checks in gitops/argocd, and kstatus, which
// Flux computes health with. It is a module of its own, for the tools' libraries; it must not know how statuses come about.
package gitops
