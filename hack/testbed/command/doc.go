// Package command is the command line of package testbed: it reads flags, calls the library and prints what it answers.
// It holds no knowledge of how a testbed is made.
package command
