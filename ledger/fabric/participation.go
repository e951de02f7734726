package fabric

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// joinOrderer joins one of the Member's orderers to a channel, through its channel participation API. One that
// does so already is asked with which ledger. fabric-admin-sdk has calls for joining too, but they take neither a context
// nor a dialer.
func (s *session) joinOrderer(ctx context.Context, node string, channel v1alpha1.PlanChannel, first ledger.FirstBlock) error {
	client, closeIdle := s.participation(node)
	defer closeIdle()
	url := "https://" + nodeAddress(s.plan, node, v1alpha1.PortOrdererAdmin) + "/participation/v1/channels"
	joined, err := hasJoined(ctx, client, url+"/"+channel.Name)
	if err != nil {
		return waitIfUnreachable(node, err)
	}
	if joined {
		return s.checkLedger(ctx, node, channel.Name, first.Hash, s.firstAtOrderer)
	}
	s.ledgers.forget(s.ledgerKey(node, channel.Name))
	block, err := first.Block(ctx)
	if err != nil {
		return err
	}
	body, contentType, err := joinForm(block)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", contentType)
	code, text, err := answer(client, request)
	if err != nil {
		return waitIfUnreachable(node, err)
	}
	if code == http.StatusCreated {
		return s.checkLedger(ctx, node, channel.Name, first.Hash, s.firstAtOrderer)
	}
	// The orderer may have joined meanwhile; check the list.
	if joined, err := hasJoined(ctx, client, url+"/"+channel.Name); err == nil && joined {
		return s.checkLedger(ctx, node, channel.Name, first.Hash, s.firstAtOrderer)
	}
	return fmt.Errorf("orderer %s did not join channel %s: %d %s", node, channel.Name, code, text)
}

func (s *session) participation(node string) (client *http.Client, closeIdle func()) {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) { return s.dial(ctx, address) },
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: s.ownRoots, Certificates: []tls.Certificate{s.adminTLS},
			ServerName: v1alpha1.NodeHost(node, s.plan.Spec.Consortium),
		},
	}
	return &http.Client{Transport: transport}, transport.CloseIdleConnections
}

func hasJoined(ctx context.Context, client *http.Client, url string) (bool, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false, err
	}
	code, text, err := answer(client, request)
	switch {
	case err != nil:
		return false, err
	case code == http.StatusOK:
		return true, nil
	case code == http.StatusNotFound:
		return false, nil
	default:
		return false, fmt.Errorf("%s: %d %s", url, code, text)
	}
}

func joinForm(block []byte) (body *bytes.Buffer, contentType string, err error) {
	body = &bytes.Buffer{}
	form := multipart.NewWriter(body)
	part, err := form.CreateFormFile("config-block", "config.block")
	if err != nil {
		return nil, "", err
	}
	if _, err := part.Write(block); err != nil {
		return nil, "", err
	}
	return body, form.FormDataContentType(), form.Close()
}

func answer(client *http.Client, request *http.Request) (code int, text string, err error) {
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	return response.StatusCode, strings.TrimSpace(string(raw)), err
}
