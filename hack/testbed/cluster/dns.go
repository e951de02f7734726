package cluster

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// ask asks a name server for a name and wants one address in the answer.
func ask(server, name, want string) error {
	question, err := dnsmessage.NewName(name)
	if err != nil {
		return err
	}
	message := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 1, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: question, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	query, err := message.Pack()
	if err != nil {
		return err
	}
	connection, err := net.Dial("udp", net.JoinHostPort(server, "53"))
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := connection.Write(query); err != nil {
		return err
	}
	answer := make([]byte, 512)
	n, err := connection.Read(answer)
	if err != nil {
		return err
	}
	return check(answer[:n], want)
}

func check(answer []byte, want string) error {
	var message dnsmessage.Message
	if err := message.Unpack(answer); err != nil {
		return fmt.Errorf("the DNS answers with something else than DNS: %w", err)
	}
	for _, each := range message.Answers {
		if a, ok := each.Body.(*dnsmessage.AResource); ok && netip.AddrFrom4(a.A).String() == want {
			return nil
		}
	}
	return fmt.Errorf("the DNS answers %v, without %s", message.RCode, want)
}
