// Package namespacecache is a cache of the objects of a few kinds in one namespace, for an agent that has many small
// namespaces and rights in each of them alone. For each kind it has a store and one goroutine that lists and watches, beside
// that of the connection. Informers take eleven goroutines and a queue of 16 KB for each kind of each namespace, far more than
// the objects. It must not know what the objects are for.
package namespacecache
