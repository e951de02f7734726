package fabrictest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric"
)

// Options say where the parts of a network are.
type Options struct {
	// Binaries is the directory of peer and orderer.
	Binaries string
	// FabricModule is the directory of Fabric's source, for the orderer's sample configuration.
	FabricModule string
	// Builder is the directory that holds bin/detect, bin/build and bin/release of the ccaas builder.
	Builder string
	// Contract is the program of every contract.
	Contract string
	// Program of a contract's image, where contracts differ; Contract when nil, as in another process.
	Program func(image string) string `json:"-"`
	// Directory for everything that the network writes.
	Directory string
}

// Network is what several organizations run, each in its own place on loopback.
type Network struct {
	Members []*Member

	options   Options
	addresses map[string]string
	detours   map[string]map[string]string // by Member and by the host that it finds elsewhere
	processes map[string]*Process
}

// NewNetwork gives every node and contract of the Members its address. Nothing runs yet.
func NewNetwork(options Options, members []*Member) (*Network, error) {
	n := &Network{Members: members, options: options, addresses: map[string]string{}, processes: map[string]*Process{}}
	for _, member := range members {
		if err := os.MkdirAll(filepath.Join(options.Directory, member.Plan.Spec.Member), 0o755); err != nil {
			return nil, err
		}
		for i, node := range member.Plan.Spec.Nodes {
			n.addresses[n.hostOf(member, node.Name)] = fmt.Sprintf("127.77.%d.%d", member.number, 10+i)
		}
	}
	return n, n.writeHosts()
}

// hostOf is a node's name, or that of a contract, which means another one in each organization.
func (n *Network) hostOf(member *Member, workload string) string {
	host := v1alpha1.NodeHost(workload, member.Plan.Spec.Consortium)
	for _, node := range member.Plan.Spec.Nodes {
		if node.Name == workload {
			return host
		}
	}
	return host + "#" + member.Plan.Spec.Member
}

func (n *Network) hostsFile(member *Member) string {
	return filepath.Join(n.options.Directory, member.Plan.Spec.Member, "hosts")
}

func (n *Network) writeHosts() error {
	for _, member := range n.Members {
		text := "127.0.0.1 localhost\n"
		for host, address := range n.addresses {
			name, owner, contract := strings.Cut(host, "#")
			if other, detour := n.detours[member.Plan.Spec.Member][host]; detour {
				address = other
			}
			if !contract || owner == member.Plan.Spec.Member {
				text += address + " " + name + "\n"
			}
		}
		// Written in place: the running nodes have this very file mounted.
		if err := os.WriteFile(n.hostsFile(member), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Dial connects to a node by the name that it has in a cluster.
func (n *Network) Dial(ctx context.Context, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	at, found := n.addresses[host]
	if !found {
		return nil, fmt.Errorf("no node is called %s", host)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(at, port))
}

// Driver is a driver that reaches the network's nodes.
func (n *Network) Driver() *fabric.Driver { return fabric.New(fabric.Options{Dial: n.Dial}) }

// Client is one of the Member's applications.
func (n *Network) Client(ctx context.Context, member *Member) (ledger.Client, error) {
	access, err := n.Driver().Access(ctx, member.Plan, member.Keys)
	if err != nil {
		return nil, err
	}
	return n.Driver().Client(access)
}

// Reader reads the Member's ledgers.
func (n *Network) Reader(ctx context.Context, member *Member) (ledger.Reader, error) {
	access, err := n.Driver().Access(ctx, member.Plan, member.Keys)
	if err != nil {
		return nil, err
	}
	return n.Driver().Reader(access)
}

// Start runs everything in the Members' plans that does not run yet, and waits until all nodes are healthy.
func (n *Network) Start(ctx context.Context) error {
	for _, member := range n.Members {
		if err := member.issueMissing(); err != nil {
			return err
		}
		workloads, err := n.Driver().Workloads(member.Plan, member.Roots())
		if err != nil {
			return err
		}
		for _, workload := range workloads {
			if err := n.startOnce(member, workload); err != nil {
				return fmt.Errorf("%s: %w", workload.Name, err)
			}
		}
	}
	for _, member := range n.Members {
		for _, node := range member.Plan.Spec.Nodes {
			if err := n.healthy(ctx, member, node); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *Network) startOnce(member *Member, workload ledger.Workload) error {
	host := n.hostOf(member, workload.Name)
	if n.processes[host] != nil {
		return nil
	}
	if n.addresses[host] == "" {
		n.addresses[host] = fmt.Sprintf("127.77.%d.%d", member.number, 100+len(n.addresses))
		if err := n.writeHosts(); err != nil {
			return err
		}
	}
	for name, content := range workload.Files {
		workload.Files[name] = strings.ReplaceAll(content, "/opt/hyperledger/ccaas_builder", n.options.Builder)
	}
	process, err := n.start(member, workload)
	if err == nil {
		n.processes[host] = process
	}
	return err
}

// healthy waits for the answer that a kubelet's probe would wait for, and for the ports that a node opens after that one.
func (n *Network) healthy(ctx context.Context, member *Member, node v1alpha1.PlanNode) error {
	port, served := v1alpha1.PortPeerOperations, []int{v1alpha1.PortPeer}
	if node.Role == v1alpha1.RoleOrderer {
		port, served = v1alpha1.PortOrdererOperations, []int{v1alpha1.PortOrderer, v1alpha1.PortOrdererAdmin}
	}
	host := n.hostOf(member, node.Name)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		status, _ := n.Operations(ctx, member, node.Name, port, http.MethodGet, "/healthz", "", "")
		if status == http.StatusOK && n.accepts(ctx, host, served) {
			return nil
		}
		select {
		case err := <-n.processes[host].done:
			n.processes[host].done <- err
			return fmt.Errorf("%s ended: %w; see %s", node.Name, err, n.processes[host].Log)
		case <-ctx.Done():
			return fmt.Errorf("%s is not healthy: %w; see %s", node.Name, ctx.Err(), n.processes[host].Log)
		case <-tick.C:
		}
	}
}

func (n *Network) accepts(ctx context.Context, host string, ports []int) bool {
	for _, port := range ports {
		connection, err := n.Dial(ctx, net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return false
		}
		_ = connection.Close()
	}
	return true
}

// Operations asks a node's operations endpoint, with one of the Member's own identities as the client if there is a name of
// one, and returns the status of the answer.
func (n *Network) Operations(ctx context.Context, member *Member, node string, port int, method, path, body, client string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	host := n.hostOf(member, node)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(member.authorities[ledger.TLSAuthority].PEM)
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: host}
	if client != "" {
		pair := member.identities[client]
		certificate, err := tls.X509KeyPair(pair.Certificate, pair.Key)
		if err != nil {
			return 0, err
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	transport := &http.Transport{TLSClientConfig: config}
	defer transport.CloseIdleConnections()
	url := fmt.Sprintf("https://%s:%d%s", n.addresses[host], port, path)
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// Stop ends one node, or a contract of one Member, which Start runs again.
func (n *Network) Stop(member *Member, workload string) error {
	host := n.hostOf(member, workload)
	process := n.processes[host]
	delete(n.processes, host)
	if process == nil {
		return nil
	}
	return process.Stop()
}

// Close ends everything.
func (n *Network) Close() error {
	var failed []error
	for host, process := range n.processes {
		failed = append(failed, process.Stop())
		delete(n.processes, host)
	}
	return errors.Join(failed...)
}
