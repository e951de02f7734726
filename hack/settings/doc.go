// Command settings writes the table of what can be changed on a running Consortium into the pages docs/settings.md and
// docs/zh/settings.md, from the Consortium's CRD and what the Planner says of each field. It fails if the two do not agree: a
// field of the spec without a row, a row without a field, a rule against changes that no row names.
// It must know nothing of clusters, and writes nothing outside its marks.
package main
