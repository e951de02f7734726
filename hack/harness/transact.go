package harness

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Invoke submits a transaction to the sample's contract as a Member, in the Member's own cluster.
func (h *Harness) Invoke(ctx context.Context, member string, call ...string) (string, error) {
	return h.Hanse(ctx, member, append([]string{"invoke", "--consortium", "trade", "--channel", "settlement", "--contract", "notary"}, call...)...)
}

// Query evaluates a call on a Member's own peer.
func (h *Harness) Query(ctx context.Context, member string, call ...string) (string, error) {
	return h.Invoke(ctx, member, append([]string{"--query"}, call...)...)
}

// Digest is the hex SHA-256 of a text.
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Notarize puts a document's digest on the ledger as one Member, shows who endorsed that, as the committed block has it,
// and waits until others read it back.
func (h *Harness) Notarize(ctx context.Context, id, as string, readers ...string) error {
	return h.phase(fmt.Sprintf("a transaction: %s notarizes %s, %s read it back", as, id, strings.Join(readers, " and ")), func() error {
		digest := Digest(id)
		out, err := h.Invoke(ctx, as, "--endorsers", "Put", id, digest, "sha256", "{}")
		if err != nil {
			return err
		}
		answer, endorsers, found := strings.Cut(strings.TrimSpace(out), "\nendorsed by ")
		if !found {
			return fmt.Errorf("%s was not told who endorsed the transaction, only %q", as, out)
		}
		// The channel's policy is that a majority of its organizations endorses.
		if !strings.Contains(endorsers, " and ") {
			return fmt.Errorf("the block has the transaction endorsed by %s alone", endorsers)
		}
		fmt.Fprintf(h.Out, "   %s: %s\n   endorsed by %s\n", as, answer, endorsers)
		for _, reader := range readers {
			got, err := h.Read(ctx, reader, id, 5*time.Minute)
			if err != nil {
				return err
			}
			if !strings.Contains(got, digest) {
				return fmt.Errorf("%s reads %q, which has not the digest %s", reader, got, digest)
			}
			fmt.Fprintf(h.Out, "   %s: %s\n", reader, strings.TrimSpace(got))
		}
		return nil
	})
}

// Read reads a document at a Member's peer, and goes on trying while the block has not reached it.
func (h *Harness) Read(ctx context.Context, member, id string, limit time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		out, err := h.Query(ctx, member, "Get", id)
		if err == nil {
			return out, nil
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(200 * time.Millisecond):
		}
	}
}
