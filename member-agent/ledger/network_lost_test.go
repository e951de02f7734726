//go:build fabric

package ledger_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// TestLostTransactions has transactions lost on the way from an orderer that has accepted them to the Raft leader, and submits
// others many times: each is committed once, and whoever has submitted it learns of that one.
func TestLostTransactions(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	members, err := fabrictest.NewMembers("trade", fabrictest.Even(1, 1, "org1", "org2", "org3")...)
	must(t, err)
	declare(members, "goods", "org1", "org2", "org3")
	network, err := fabrictest.NewNetwork(fabrictest.BuildFor(t, "../.."), members)
	must(t, err)
	watch := stopwatch(t)
	detours := map[[2]int]*fabrictest.Detour{}
	for from := range members {
		for to := range members {
			if from != to {
				detours[[2]int{from, to}], err = network.Detour(members[from], members[to])
				must(t, err)
				t.Cleanup(detours[[2]int{from, to}].Close)
			}
		}
	}
	t.Cleanup(func() { must(t, network.Close()) })
	must(t, network.Start(ctx))
	agentsOf(network).waitForReady(t, ctx)
	transact(t, ctx, network, "goods", members[0], members[1], "first")
	watch("first transaction")

	t.Run("lost", func(t *testing.T) {
		leader := leaderOf(t, ctx, members, network)
		follower, third := (leader+1)%3, (leader+2)%3
		there, back := detours[[2]int{follower, leader}], detours[[2]int{leader, follower}]
		there.Cut()
		back.Cut()
		// As gateways do once they have noticed a cut: else the follower's peer, if it takes its blocks from the leader's orderer,
		// would not learn of any commit.
		noticed := time.AfterFunc(3*time.Second, func() { there.Restore(); back.Restore() })
		defer noticed.Stop()
		client, err := network.Client(ctx, members[follower])
		must(t, err)
		defer client.Close()
		// Each peer draws the orderer: by its own organization's, transactions are lost; the leader does not answer.
		results := submit(t, ctx, slices.Repeat([]ledger.Client{client}, 16), "lost")
		watch("all committed beside a cut line")
		again := 0
		for _, result := range results {
			again += result.Resubmitted
		}
		if lost := there.Restore(); lost == 0 || again == 0 {
			t.Errorf("%d bytes were lost, and transactions submitted again %d times", lost, again)
		}
		once(t, ctx, network, members[third], results)
		watch("all found at the third organization")
	})
	t.Run("submitted many times", func(t *testing.T) {
		driver := fabric.New(fabric.Options{Dial: network.Dial, ResubmitAfter: 2 * time.Millisecond})
		access, err := driver.Access(ctx, members[1].Plan, members[1].Keys)
		must(t, err)
		var clients []ledger.Client // one for each transaction, since each submits only so many again
		for range 8 {
			client, err := driver.Client(access)
			must(t, err)
			defer client.Close()
			clients = append(clients, client)
		}
		results := submit(t, ctx, clients, "twice")
		same, later := once(t, ctx, network, members[0], results)
		if same == 0 || later == 0 {
			t.Errorf("duplicates: %d in the block of the first, %d in later ones", same, later)
		}
	})
}

// submit has clients submit a transaction each at once, all of which have to be committed.
func submit(t *testing.T, ctx context.Context, clients []ledger.Client, name string) []ledger.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	results, failed := make([]ledger.Result, len(clients)), make([]error, len(clients))
	var tasks sync.WaitGroup
	for i, client := range clients {
		tasks.Go(func() {
			id := fmt.Sprint(name, "-", i)
			digest := sha256.Sum256([]byte(id))
			results[i], failed[i] = client.Submit(ctx, ledger.Call{
				Channel: "goods", Contract: "notary", Function: "Put", Arguments: []string{id, hex.EncodeToString(digest[:]), "sha256", ""},
			})
		})
	}
	tasks.Wait()
	for i, err := range failed {
		must(t, err)
		t.Logf("%s-%d: submitted again %d times, in block %d", name, i, results[i].Resubmitted, results[i].Block)
	}
	return results
}

// once checks, by another organization's peer, that each transaction is valid once, in the block that was said, and counts
// its duplicates in that block and in later ones.
func once(t *testing.T, ctx context.Context, network *fabrictest.Network, member *fabrictest.Member, results []ledger.Result) (same, later int) {
	t.Helper()
	reader, err := network.Reader(ctx, member)
	must(t, err)
	defer reader.Close()
	valid, duplicates := map[string][]uint64{}, map[string][]uint64{}
	count := func() error {
		height, err := reader.Height(ctx, "goods")
		if err != nil {
			return err
		}
		clear(valid)
		clear(duplicates)
		for number := range height {
			block, err := reader.Block(ctx, "goods", number)
			must(t, err)
			for _, transaction := range block.Transactions {
				switch {
				case transaction.Valid:
					valid[transaction.ID] = append(valid[transaction.ID], number)
				case transaction.Code == "DUPLICATE_TXID":
					duplicates[transaction.ID] = append(duplicates[transaction.ID], number)
				default:
					t.Errorf("block %d: %s is %s", number, transaction.ID, transaction.Code)
				}
			}
		}
		for _, result := range results {
			if len(valid[result.Transaction]) == 0 {
				return fmt.Errorf("%s is in none of %d blocks", result.Transaction, height)
			}
		}
		return nil
	}
	eventually(t, ctx, "the other organization's peer has the blocks", count)
	for _, result := range results {
		if at := valid[result.Transaction]; len(at) != 1 || at[0] != result.Block {
			t.Errorf("%s is valid in blocks %v, and block %d was said", result.Transaction, at, result.Block)
		}
		for _, number := range duplicates[result.Transaction] {
			if number == result.Block {
				same++
			} else {
				later++
			}
		}
		if found, err := reader.Transaction(ctx, "goods", result.Transaction); err != nil || !found.Valid || found.Block != result.Block {
			t.Errorf("by its ID, %s is found as %+v, %v", result.Transaction, found, err)
		}
	}
	return same, later
}

// leaderOf is the number of the Member whose orderer says that it is the Raft leader.
func leaderOf(t *testing.T, ctx context.Context, members []*fabrictest.Member, network *fabrictest.Network) (leader int) {
	t.Helper()
	eventually(t, ctx, "one orderer leads", func() error {
		for i, member := range members {
			if text, err := metrics(ctx, network, member); err != nil {
				return err
			} else if strings.Contains(text, `consensus_etcdraft_is_leader{channel="goods"} 1`) {
				leader = i
				return nil
			}
		}
		return fmt.Errorf("none of %d does", len(members))
	})
	return leader
}

// metrics are those of a Member's first orderer.
func metrics(ctx context.Context, network *fabrictest.Network, member *fabrictest.Member) (string, error) {
	name := member.Plan.Spec.Member
	pair, err := member.Keys(ctx, fabric.MonitorTLSIdentity(name))
	if err != nil {
		return "", err
	}
	certificate, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	if err != nil {
		return "", err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pair.CA)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: []tls.Certificate{certificate}},
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return network.Dial(ctx, address)
		},
	}
	defer transport.CloseIdleConnections()
	host := v1alpha1.NodeHost("orderer0-"+name, member.Plan.Spec.Consortium)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+net.JoinHostPort(host, strconv.Itoa(v1alpha1.PortOrdererOperations))+"/metrics", nil)
	if err != nil {
		return "", err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}
