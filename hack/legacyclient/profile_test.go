package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
	"github.com/hyperledger/fabric-sdk-go/pkg/core/config"
	sdkfab "github.com/hyperledger/fabric-sdk-go/pkg/fab"
)

// endpoints reads a profile as the SDK does when an application starts.
func endpoints(t *testing.T, profile string) fab.EndpointConfig {
	t.Helper()
	backends, err := config.FromFile(profile)()
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := sdkfab.ConfigFromBackend(backends...)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func TestTheSDKUnderstandsTheProfile(t *testing.T) {
	loaded := endpoints(t, "testdata/profile.yaml")
	peers, ok := loaded.PeersConfig("org1")
	if !ok || len(peers) != 1 || peers[0].URL != "grpcs://peer0-org1.hanse-trade:7051" || peers[0].TLSCACert == nil {
		t.Errorf("the way in is %+v", peers)
	}
	if loaded.NetworkConfig().Organizations["org1"].MSPID != "org1MSP" {
		t.Error("the organization has no MSP id")
	}
	if got := loaded.ChannelPeers("settlement"); len(got) != 1 || !got[0].EndorsingPeer || got[0].MSPID != "org1MSP" {
		t.Errorf("discovery would ask %+v, want the own peer", got)
	}
	if got := loaded.ChannelConfig("settlement").Policies.Discovery.MaxTargets; got != 1 {
		t.Errorf("discovery would ask %d peers at once, want 1", got)
	}
	if peer, ok := loaded.PeerConfig("peer0-org2.hanse-trade:7051"); !ok || peer.URL == "" {
		t.Errorf("the other organization's peer, when discovered, is %+v", peer)
	}
	orderers := loaded.ChannelOrderers("settlement")
	if len(orderers) != 2 || orderers[0].TLSCACert == nil {
		t.Errorf("the channel's orderers are %+v: the SDK cannot learn them from a V3_0 channel", orderers)
	}
}

// A profile for use outside the cluster gives every name, discovered ones too, an address of its own, and checks the name.
func TestEntityMatchersGiveEveryNameAnAddress(t *testing.T) {
	const outside = ".nodes.example.com:7443"
	loaded := endpoints(t, "testdata/profile-outside.yaml")
	for _, row := range []struct{ why, discovered, name string }{
		{"a peer as the profile names it", "peer0-org1.hanse-trade:7051", "peer0-org1.hanse-trade"},
		{"a peer that only discovery knows", "peer7-org2.hanse-trade:7051", "peer7-org2.hanse-trade"},
	} {
		t.Run(row.why, func(t *testing.T) {
			peer, ok := loaded.PeerConfig(row.discovered)
			if !ok || peer.URL != row.name+outside || peer.GRPCOptions["ssl-target-name-override"] != row.name {
				t.Errorf("got %+v", peer)
			}
		})
	}
	orderer, ok, ignored := loaded.OrdererConfig("orderer0-org2.hanse-trade:7050")
	if !ok || ignored || orderer.URL != "orderer0-org2.hanse-trade"+outside || orderer.GRPCOptions["ssl-target-name-override"] != "orderer0-org2.hanse-trade" {
		t.Errorf("the orderer is %+v", orderer)
	}
	if channel := loaded.ChannelOrderers("settlement"); len(channel) != 2 || channel[0].URL != "orderer0-org1.hanse-trade"+outside {
		t.Errorf("the channel's orderers are %+v", channel)
	}
}

func TestExitCodes(t *testing.T) {
	t.Chdir(t.TempDir()) // the SDK makes its keystore folder here
	cert, key := identity(t)
	_, otherKey := identity(t)
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	if err := os.WriteFile(broken, []byte("version: 1.0.0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	user := []string{"--msp", "org1MSP", "--user-cert", cert, "--user-key", key}
	for _, row := range []struct {
		why  string
		args []string
		code int
		hint string
	}{
		{"nothing is given", nil, exitUsage, "--profile"},
		{"a flag that does not exist", []string{"--no"}, exitUsage, "-no"},
		{"a stray word is not ignored", append([]string{"--profile", broken, "stray"}, user...), exitUsage, ""},
		{"a file that is not there", append([]string{"--profile", "nowhere.yaml"}, user...), exitUsage, "nowhere.yaml"},
		{"the key of another certificate", []string{"--profile", broken, "--msp", "org1MSP", "--user-cert", cert,
			"--user-key", otherKey}, exitUsage, "key pair"},
		{"a profile that says nothing", append([]string{"--profile", broken}, user...), exitConnect, "organization"},
	} {
		t.Run(row.why, func(t *testing.T) {
			var log strings.Builder
			if code := report(&log, run(t.Context(), row.args, &log)); code != row.code || !strings.Contains(log.String(), row.hint) {
				t.Errorf("exit code %d: %s", code, log.String())
			}
		})
	}
}
