// Package command is fleet's command line: it reads flags, puts the other packages to work in order, and says what
// happens. It holds no knowledge of how a fleet is made.
package command
