// Command probe is what the integration test runs in pods and on LANs: it serves, dials, resolves and writes.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: probe serve|dial|resolve|write|read ARGUMENT [TEXT]")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	switch what := args[1]; args[0] {
	case "serve":
		fmt.Println("serving", what)
		server := &http.Server{Addr: what, ReadHeaderTimeout: time.Second}
		return server.ListenAndServe()
	case "dial":
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", what)
		if err != nil {
			return err
		}
		return connection.Close()
	case "resolve":
		addresses, err := net.DefaultResolver.LookupHost(ctx, what)
		fmt.Println(addresses)
		return err
	case "write":
		return os.WriteFile(what, []byte(args[2]), 0o600)
	case "read":
		content, err := os.ReadFile(what)
		fmt.Print(string(content))
		return err
	default:
		return fmt.Errorf("what is %q?", args[0])
	}
}
