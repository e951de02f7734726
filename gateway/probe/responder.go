package probe

import (
	"context"
	"fmt"
	"net"
	"time"

	"golang.org/x/time/rate"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

const (
	// idle is how long a prober may be silent before its connection is closed.
	idle = 30 * time.Second
	// answerTimeout bounds writing an answer to a peer that does not read.
	answerTimeout = 5 * time.Second
	// pingsPerSecond is the rate limit of one connection.
	pingsPerSecond = 20
)

// Answer answers probes on a connection that is authenticated as member far, until it ends or sends an invalid message.
// view is this gateway's own view of a line to a member; stillTrusted is asked before each answer.
func Answer(ctx context.Context, conn net.Conn, far string, view func(line, member string) v1alpha1.LineState, stillTrusted func() bool) error {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	limit := rate.NewLimiter(pingsPerSecond, pingsPerSecond)
	for {
		if err := limit.Wait(ctx); err != nil {
			return err
		}
		if err := conn.SetReadDeadline(time.Now().Add(idle)); err != nil {
			return err
		}
		var asked ping
		if err := readFrame(conn, &asked); err != nil {
			return err
		}
		if !stillTrusted() {
			return fmt.Errorf("the root of member %s is no longer the one that this connection was proven by", far)
		}
		if err := conn.SetWriteDeadline(time.Now().Add(answerTimeout)); err != nil {
			return err
		}
		if err := writeFrame(conn, pong{Nonce: asked.Nonce, State: view(asked.Line, far)}); err != nil {
			return err
		}
	}
}
