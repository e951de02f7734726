package ccaas

import (
	"sync"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// drain counts the transactions under way on all streams, so that a stop can wait
// for their answers. A peer keeps its stream open for ever, so gRPC's own graceful
// stop would never end without this.
type drain struct {
	mu       sync.Mutex
	underway int
	stopping bool
	once     sync.Once     // a transaction may still come in after the last one has gone
	idle     chan struct{} // closed once stopping and nothing is under way
}

func newDrain() *drain { return &drain{idle: make(chan struct{})} }

// stop lets every stream end as soon as no transaction is under way.
func (d *drain) stop() { d.change(0, true) }

func (d *drain) change(by int, stopping bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.underway += by
	d.stopping = d.stopping || stopping
	if d.stopping && d.underway == 0 {
		d.once.Do(func() { close(d.idle) })
	}
}

// intercept ends the stream with the peer when the server is idle and stopping.
func (d *drain) intercept(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	counted := &countedStream{ServerStream: stream, drain: d}
	ended := make(chan error, 1)
	go func() { ended <- handler(srv, counted) }()
	select {
	case err := <-ended:
		counted.forget()
		return err
	case <-d.idle:
		return status.Error(codes.Unavailable, "the chaincode is stopping")
	}
}

// countedStream counts the transactions that came in on one stream and were not yet answered.
type countedStream struct {
	grpc.ServerStream
	drain *drain

	mu   sync.Mutex
	open int
}

// RecvMsg counts a transaction in.
func (s *countedStream) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if err == nil && isCall(m) {
		s.add(1)
	}
	return err
}

// SendMsg counts it out, once its answer is on its way.
func (s *countedStream) SendMsg(m any) error {
	err := s.ServerStream.SendMsg(m)
	if isAnswer(m) {
		s.add(-1)
	}
	return err
}

func (s *countedStream) add(by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if by < 0 && s.open == 0 {
		return // an answer to nothing, such as an error while registering
	}
	s.open += by
	s.drain.change(by, false)
}

// forget drops what a broken stream can no longer answer.
func (s *countedStream) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drain.change(-s.open, false)
	s.open = 0
}

func isCall(m any) bool {
	message, ok := m.(*peer.ChaincodeMessage)
	return ok && (message.Type == peer.ChaincodeMessage_TRANSACTION || message.Type == peer.ChaincodeMessage_INIT)
}

func isAnswer(m any) bool {
	message, ok := m.(*peer.ChaincodeMessage)
	return ok && (message.Type == peer.ChaincodeMessage_COMPLETED || message.Type == peer.ChaincodeMessage_ERROR)
}
