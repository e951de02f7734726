package ccaas

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

const (
	// maxMessage is the shim's own limit, in both directions.
	maxMessage = 100 << 20
	// grace is how long a stop waits for transactions under way: shorter than the 30 s that
	// Kubernetes gives a pod, much longer than a contract of this module ever takes.
	grace = 20 * time.Second
)

// Listen opens the configured address.
func Listen(ctx context.Context, config Config) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", config.Address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s (set %s to another address): %w", config.Address, EnvAddress, err)
	}
	return listener, nil
}

// Serve answers peers until the context ends; then it takes no new stream, lets the transactions
// under way be answered, and returns nil. The shim's own server cannot stop, so the shim only
// handles the streams here and the gRPC server is ours.
func Serve(ctx context.Context, config Config, listener net.Listener, chaincode shim.Chaincode) error {
	streams := newDrain()
	server := grpc.NewServer(append(options(config), grpc.StreamInterceptor(streams.intercept))...)
	peer.RegisterChaincodeServer(server, &shim.ChaincodeServer{CCID: config.ID, Address: config.Address, CC: chaincode})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serving on %s: %w", config.Address, err)
	case <-ctx.Done():
	}
	streams.stop()
	hard := time.AfterFunc(grace, server.Stop)
	defer hard.Stop()
	server.GracefulStop()
	return nil
}

// options are the shim's own settings of keepalive and limits, which fit the peer's.
func options(config Config) []grpc.ServerOption {
	opts := []grpc.ServerOption{
		grpc.MaxSendMsgSize(maxMessage),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.ConnectionTimeout(5 * time.Second),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Minute, PermitWithoutStream: true}),
	}
	if config.TLS != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(config.TLS)))
	}
	return opts
}
