// Package command is testbed's command line: it reads flags, puts the other packages to work in order, and says what
// happens. It holds no knowledge of how a testbed is made.
package command
