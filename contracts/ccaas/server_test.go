package ccaas

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
)

// slow is a chaincode that answers when it is told to.
type slow struct {
	entered chan struct{}
	leave   chan struct{}
}

func newSlow() slow { return slow{make(chan struct{}, 1), make(chan struct{})} }

func (s slow) Init(stub shim.ChaincodeStubInterface) *peer.Response { return s.Invoke(stub) }

func (s slow) Invoke(shim.ChaincodeStubInterface) *peer.Response {
	s.entered <- struct{}{}
	<-s.leave
	return shim.Success([]byte("done"))
}

// serve starts a server on a loopback port, and gives its address and what Serve returned.
func serve(t *testing.T, ctx context.Context, config Config, chaincode shim.Chaincode) (string, <-chan error) {
	t.Helper()
	config.ID, config.Address = "slow:1", "127.0.0.1:0"
	listener, err := Listen(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, config, listener, chaincode) }()
	return listener.Addr().String(), ended
}

// dial plays the peer: it opens the stream and takes the registration.
func dial(t *testing.T, address string, creds credentials.TransportCredentials) (peer.Chaincode_ConnectClient, error) {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(creds))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	stream, err := peer.NewChaincodeClient(conn).Connect(ctx)
	if err != nil {
		return nil, err
	}
	hello, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	id := &peer.ChaincodeID{}
	if err := proto.Unmarshal(hello.Payload, id); err != nil || hello.Type != peer.ChaincodeMessage_REGISTER || id.Name != "slow:1" {
		t.Fatalf("registered as %v %q (%v)", hello.Type, id.Name, err)
	}
	send(t, stream, &peer.ChaincodeMessage{Type: peer.ChaincodeMessage_REGISTERED})
	send(t, stream, &peer.ChaincodeMessage{Type: peer.ChaincodeMessage_READY})
	return stream, nil
}

func send(t *testing.T, stream peer.Chaincode_ConnectClient, message *peer.ChaincodeMessage) {
	t.Helper()
	if err := stream.Send(message); err != nil {
		t.Fatal(err)
	}
}

func invoke(t *testing.T, stream peer.Chaincode_ConnectClient) {
	t.Helper()
	input, err := proto.Marshal(&peer.ChaincodeInput{Args: [][]byte{[]byte("f")}})
	if err != nil {
		t.Fatal(err)
	}
	send(t, stream, &peer.ChaincodeMessage{Type: peer.ChaincodeMessage_TRANSACTION, Txid: "tx", ChannelId: "c", Payload: input})
}

func TestStopAnswersWhatIsUnderWay(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	chaincode := newSlow()
	address, ended := serve(t, ctx, Config{}, chaincode)
	stream, err := dial(t, address, insecure.NewCredentials())
	if err != nil {
		t.Fatal(err)
	}
	invoke(t, stream)
	<-chaincode.entered
	stop()
	select {
	case err := <-ended:
		t.Fatalf("the server ended (%v) with a transaction under way", err)
	default:
	}
	close(chaincode.leave)
	answer, err := stream.Recv()
	if err != nil || answer.Type != peer.ChaincodeMessage_COMPLETED {
		t.Fatalf("the transaction was answered with %v (%v)", answer, err)
	}
	if err := await(t, ended); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

func TestStopWithAnIdlePeer(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	address, ended := serve(t, ctx, Config{}, newSlow())
	if _, err := dial(t, address, insecure.NewCredentials()); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := await(t, ended); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// A peer that breaks off takes its transaction with it: the stop must not wait for an answer that nobody reads.
func TestStopAfterAPeerBrokeOff(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	chaincode := newSlow()
	address, ended := serve(t, ctx, Config{}, chaincode)
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := peer.NewChaincodeClient(conn).Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	send(t, stream, &peer.ChaincodeMessage{Type: peer.ChaincodeMessage_REGISTERED})
	send(t, stream, &peer.ChaincodeMessage{Type: peer.ChaincodeMessage_READY})
	invoke(t, stream)
	<-chaincode.entered
	_ = conn.Close()
	stop()
	if err := await(t, ended); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	close(chaincode.leave)
}

func TestTLSAsksForThePeersCertificate(t *testing.T) {
	files := newPKI(t)
	env := map[string]string{EnvID: "slow:1", EnvTLSDisabled: "false", EnvTLSCert: files.cert, EnvTLSKey: files.key, EnvClientCA: files.ca}
	config, err := Load(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	address, _ := serve(t, t.Context(), config, newSlow())
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(files.ca)
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		t.Fatal("no root", err)
	}
	pair, err := tls.LoadX509KeyPair(files.cert, files.key)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why   string
		certs []tls.Certificate
		ok    bool
	}{
		{"a peer of a known root is served", []tls.Certificate{pair}, true},
		{"a peer without a certificate is not", nil, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			client := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: "localhost", RootCAs: roots, Certificates: row.certs}
			if _, err := dial(t, address, credentials.NewTLS(client)); (err == nil) != row.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestListenSaysWhichAddressIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	if _, err := Listen(t.Context(), Config{Address: taken.Addr().String()}); err == nil {
		t.Error("two servers on one address")
	}
}

func await(t *testing.T, ended <-chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("the server does not stop")
		return nil
	}
}
