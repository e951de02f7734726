// Package verify holds the scripts that continuous integration checks a clone with, and their tests.
package verify
