package notary

import "github.com/hanse-io/hanse/contracts/origin"

// Record is one version of a notarized id.
type Record struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	// Digest is hexadecimal, in lower case.
	Digest    string `json:"digest"`
	Algorithm string `json:"algorithm"`
	// Metadata is the author's own text; the contract does not read it.
	Metadata string `json:"metadata"`
	// Owner is the MSP id of the organization that recorded version 1, the only one that may add versions.
	Owner string `json:"owner"`
	// By is the client that recorded this version.
	By origin.Origin `json:"by"`
}

// Verification is the answer to whether a digest is on record.
type Verification struct {
	ID     string `json:"id"`
	Digest string `json:"digest"`
	// Verified says that some version of the id carries the digest.
	Verified bool `json:"verified"`
	// Current says that the newest version does.
	Current bool `json:"current"`
	// NewestVersion is the number of the newest version.
	NewestVersion int `json:"newestVersion"`
	// Record is the newest version with this digest; absent if there is none.
	Record *Record `json:"record,omitempty" metadata:"record,optional"`
}

// Versions is a page of an id's history, oldest first.
type Versions struct {
	Records []Record `json:"records"`
	// Next is the version to go on from; 0 says that this was the last page.
	Next int `json:"next"`
}

// Page is a page of ids, each with its newest version, sorted by id.
type Page struct {
	Records []Record `json:"records"`
	// Bookmark asks for the next page; empty says that this was the last one.
	Bookmark string `json:"bookmark"`
}
