// Package cache knows where built things are kept outside the clone, and lets one builder at a time put a finished
// thing there, whole or not at all.
//
// It must not know what is built.
package cache
