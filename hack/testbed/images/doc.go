// Package images makes the archives that a cluster's pods run from, without a registry and without Docker: static
// binaries on an empty file system, with the paths of the official images, so that one pod specification serves both.
// The same content always gives the same archive.
//
// It must not know how archives get into a cluster.
package images
