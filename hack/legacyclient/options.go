package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

// options are what the flags say; files are read already.
type options struct {
	profile, channel, contract string
	msp, cert, key             string
	id, text, metadata         string
	timeout                    time.Duration
}

func parse(args []string) (options, error) {
	var o options
	var certFile, keyFile string
	flags := flag.NewFlagSet("legacyclient", flag.ContinueOnError)
	flags.StringVar(&o.profile, "profile", "", "the connection profile, .yaml or .json")
	flags.StringVar(&o.channel, "channel", "settlement", "the channel")
	flags.StringVar(&o.contract, "contract", "notary", "the contract")
	flags.StringVar(&o.msp, "msp", "", "the MSP id of the user's organization, such as org1MSP")
	flags.StringVar(&certFile, "user-cert", "", "PEM file with the user's certificate")
	flags.StringVar(&keyFile, "user-key", "", "PEM file with the user's private key, PKCS #8")
	flags.StringVar(&o.id, "id", "legacy/1", "the id to notarize under")
	flags.StringVar(&o.text, "text", "hello", "the text whose SHA-256 is notarized")
	flags.StringVar(&o.metadata, "metadata", "{}", "the record's metadata")
	flags.DurationVar(&o.timeout, "timeout", time.Minute, "how long the transaction, and then the query, may take")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	for _, required := range []struct{ name, value string }{
		{"profile", o.profile}, {"msp", o.msp}, {"user-cert", certFile}, {"user-key", keyFile},
	} {
		if required.value == "" {
			return o, fmt.Errorf("--%s is not set: see --help", required.name)
		}
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q is not understood: see --help", flags.Arg(0))
	}
	cert, certErr := os.ReadFile(certFile)
	key, keyErr := os.ReadFile(keyFile)
	_, profileErr := os.Stat(o.profile)
	if err := errors.Join(certErr, keyErr, profileErr); err != nil {
		return o, err
	}
	// The SDK ignores a key that it cannot read, and fails much later.
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		return o, fmt.Errorf("%s and %s are no key pair: %w", certFile, keyFile, err)
	}
	o.cert, o.key = string(cert), string(key)
	return o, nil
}
