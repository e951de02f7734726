package notary

import (
	"encoding/json"
	"strings"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/hanse-io/hanse/contracts/key"
	"github.com/hanse-io/hanse/contracts/refusal"
)

const (
	// HistoryPage is the number of versions that one call of History gives.
	HistoryPage = 50
	// DefaultPage is the page size of List when 0 is asked for.
	DefaultPage = 50
	// MaxPage is the largest page of List; a page must stay well below a message's size.
	MaxPage = 100
)

// History gives the versions of an id, oldest first, from the given one on: who
// recorded what, when, in which transaction.
func (c *Contract) History(ctx contractapi.TransactionContextInterface, id string, from int) (*Versions, error) {
	records := store{ctx.GetStub()}
	newest, err := records.mustNewest(id)
	if err != nil {
		return nil, err
	}
	if from < 1 || from > newest.Version {
		return nil, refusal.Invalid.Because("history of %q goes from version 1 to %d, not from %d", id, newest.Version, from)
	}
	last := min(newest.Version, from+HistoryPage-1)
	answer := &Versions{Records: make([]Record, 0, last-from+1)}
	for n := from; n <= last; n++ {
		record, err := records.version(id, n)
		if err != nil {
			return nil, err
		}
		answer.Records = append(answer.Records, *record)
	}
	if last < newest.Version {
		answer.Next = last + 1
	}
	return answer, nil
}

// List gives a page of the ids that start with a prefix, each with its newest
// version. The page size comes last because the contract API leaks a goroutine
// for every argument behind one that does not convert.
func (c *Contract) List(ctx contractapi.TransactionContextInterface, prefix, bookmark string, pageSize int) (*Page, error) {
	if err := key.CheckPrefix("prefix", prefix); err != nil {
		return nil, err
	}
	if pageSize < 0 || pageSize > MaxPage {
		return nil, refusal.Invalid.Because("the page size is %d: ask for 1 to %d, or 0 for %d", pageSize, MaxPage, DefaultPage)
	}
	if pageSize == 0 {
		pageSize = DefaultPage
	}
	start := recordPrefix + prefix
	if bookmark != "" && !strings.HasPrefix(bookmark, start) {
		return nil, refusal.Invalid.Because("the bookmark is not from a list of %q: start again with an empty one", prefix)
	}
	found, answer, err := ctx.GetStub().GetStateByRangeWithPagination(start, start+key.After, int32(pageSize), bookmark)
	if err != nil {
		return nil, refusal.Ledger.Because("listing %q: %w", prefix, err)
	}
	defer func() { _ = found.Close() }()
	page := &Page{Records: make([]Record, 0, pageSize), Bookmark: answer.GetBookmark()}
	for found.HasNext() {
		entry, err := found.Next()
		if err != nil {
			return nil, refusal.Ledger.Because("listing %q: %w", prefix, err)
		}
		var record Record
		if err := json.Unmarshal(entry.GetValue(), &record); err != nil {
			return nil, refusal.Ledger.Because("the record at %q does not parse: %w", entry.GetKey(), err)
		}
		page.Records = append(page.Records, record)
	}
	return page, nil
}
