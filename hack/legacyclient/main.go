package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hyperledger/fabric-sdk-go/pkg/core/config"
	"github.com/hyperledger/fabric-sdk-go/pkg/gateway"
)

// The exit codes.
const (
	exitUsage    = 2
	exitConnect  = 3
	exitSubmit   = 4
	exitEvaluate = 5
	exitDiffers  = 6
)

// failure carries the exit code of an error.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := report(os.Stderr, run(ctx, os.Args[1:], os.Stdout))
	stop()
	os.Exit(code)
}

func report(log io.Writer, err error) int {
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintln(log, "legacyclient:", err)
	var failed *failure
	if errors.As(err, &failed) {
		return failed.code
	}
	return 1
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return &failure{exitUsage, err}
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	contract, err := connect(o)
	if err != nil {
		return &failure{exitConnect, err}
	}
	sum := sha256.Sum256([]byte(o.text))
	digest := hex.EncodeToString(sum[:])
	answer, err := contract.SubmitTransaction("Put", o.id, digest, "sha256", o.metadata)
	if err != nil {
		return &failure{exitSubmit, fmt.Errorf("the transaction failed: %w", err)}
	}
	written, err := decode(answer)
	if err != nil {
		return &failure{exitSubmit, err}
	}
	return readBack(ctx, contract, written, out)
}

// connect opens the channel through the profile; the SDK asks a peer for the channel's configuration on the way.
func connect(o options) (*gateway.Contract, error) {
	wallet := gateway.NewInMemoryWallet()
	if err := wallet.Put("user", gateway.NewX509Identity(o.msp, o.cert, o.key)); err != nil {
		return nil, fmt.Errorf("the identity cannot be used: %w", err)
	}
	gw, err := gateway.Connect(gateway.WithConfig(config.FromFile(o.profile)), gateway.WithIdentity(wallet, "user"),
		gateway.WithTimeout(o.timeout))
	if err != nil {
		return nil, fmt.Errorf("the profile %s cannot be used: %w", o.profile, err)
	}
	network, err := gw.GetNetwork(o.channel)
	if err != nil {
		return nil, fmt.Errorf("channel %s cannot be entered: %w", o.channel, err)
	}
	return network.GetContract(o.contract), nil
}

// readBack queries until the version that was written is there: the SDK may ask a peer that has not got the block yet.
func readBack(ctx context.Context, contract *gateway.Contract, written record, out io.Writer) error {
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for {
		answer, err := contract.EvaluateTransaction("Get", written.ID)
		var read record
		if err == nil {
			read, err = decode(answer)
		}
		switch {
		case err != nil: // the peer may not have the block with a new id yet
		case read == written:
			_, err := fmt.Fprintf(out, "%s\n", answer)
			return err
		case read.Version >= written.Version:
			return &failure{exitDiffers, fmt.Errorf("wrote %+v, read %+v", written, read)}
		default:
			err = fmt.Errorf("a peer still has version %d, not %d", read.Version, written.Version)
		}
		select {
		case <-ctx.Done():
			return &failure{exitEvaluate, fmt.Errorf("the query failed: %w", errors.Join(err, ctx.Err()))}
		case <-again.C:
		}
	}
}

// record is what this application understands of the contract's answers.
type record struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	Digest  string `json:"digest"`
	Owner   string `json:"owner"`
}

func decode(answer []byte) (record, error) {
	var r record
	if err := json.Unmarshal(answer, &r); err != nil || r.ID == "" {
		return r, fmt.Errorf("the answer is no record: %.200q", answer)
	}
	return r, nil
}
