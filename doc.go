// Package hanse is the root of the module. It holds no code, only the tests of rules that all packages keep.
package hanse
