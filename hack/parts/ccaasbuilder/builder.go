package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

const (
	connectionFile = "connection.json"
	metaInf        = "META-INF"
	statedb        = "statedb"
)

// connection is what a peer reads from chaincode/server/connection.json.
type connection struct {
	Address            string `json:"address"`
	DialTimeout        string `json:"dial_timeout"`
	TLSRequired        bool   `json:"tls_required"`
	ClientAuthRequired bool   `json:"client_auth_required"`
	ClientKey          string `json:"client_key"`
	ClientCert         string `json:"client_cert"`
	RootCert           string `json:"root_cert"`
}

// detect claims packages whose type is ccaas.
func detect(metadataDir string) error {
	data, err := os.ReadFile(filepath.Join(metadataDir, "metadata.json"))
	if err != nil {
		return err
	}
	var metadata struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &metadata); err != nil {
		return fmt.Errorf("metadata.json: %w", err)
	}
	if !strings.EqualFold(metadata.Type, "ccaas") {
		return fmt.Errorf("the chaincode type is %q, this builder takes ccaas only", metadata.Type)
	}
	return nil
}

// build checks connection.json, fills its placeholders and keeps it, with META-INF if there is one.
func build(sourceDir, outputDir, config string) error {
	data, err := os.ReadFile(filepath.Join(sourceDir, connectionFile))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the package's code.tar.gz holds no %s: put one with the address of the chaincode's server there", connectionFile)
	} else if err != nil {
		return err
	}
	var c connection
	if err := json.Unmarshal(data, &c); err != nil {
		return fmt.Errorf("%s: %w", connectionFile, err)
	}
	if err := c.fill(config); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return fmt.Errorf("%s: %w", connectionFile, err)
	}
	data, err = json.Marshal(c)
	if err != nil {
		return err
	}
	// It can hold the peer's client key.
	if err := os.WriteFile(filepath.Join(outputDir, connectionFile), data, 0o600); err != nil {
		return err
	}
	return copyDir(filepath.Join(sourceDir, metaInf), filepath.Join(outputDir, metaInf))
}

// release hands the peer the server's connection and the indexes for its state database.
func release(outputDir, releaseDir string) error {
	data, err := os.ReadFile(filepath.Join(outputDir, connectionFile))
	if err != nil {
		return fmt.Errorf("the build left no connection: %w", err)
	}
	server := filepath.Join(releaseDir, "chaincode", "server")
	if err := os.MkdirAll(server, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(server, connectionFile), data, 0o600); err != nil {
		return err
	}
	return copyDir(filepath.Join(outputDir, metaInf, statedb), filepath.Join(releaseDir, statedb))
}

// fill replaces {{.name}} in the string fields by values from config, a JSON object; without a config the fields stay
// as they are.
func (c *connection) fill(config string) error {
	if config == "" {
		return nil
	}
	var values map[string]string
	if err := json.Unmarshal([]byte(config), &values); err != nil {
		return fmt.Errorf("%s has to be a JSON object of strings: %w", configVariable, err)
	}
	for name, field := range map[string]*string{
		"address": &c.Address, "dial_timeout": &c.DialTimeout, "client_key": &c.ClientKey,
		"client_cert": &c.ClientCert, "root_cert": &c.RootCert,
	} {
		t, err := template.New(name).Option("missingkey=error").Parse(*field)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", connectionFile, name, err)
		}
		var filled strings.Builder
		if err := t.Execute(&filled, values); err != nil {
			return fmt.Errorf("%s, %s: %s has no such value: %w", connectionFile, name, configVariable, err)
		}
		*field = filled.String()
	}
	return nil
}

// check refuses what the peer would refuse only when it dials.
func (c *connection) check() error {
	switch {
	case c.Address == "":
		return errors.New("address is missing: give the chaincode server's host:port")
	case strings.Contains(c.Address, "{{"):
		return fmt.Errorf("address %q has a placeholder, but the peer has no %s", c.Address, configVariable)
	case c.TLSRequired && c.RootCert == "":
		return errors.New("tls_required needs root_cert, the PEM of the server's root")
	case c.ClientAuthRequired && (c.ClientKey == "" || c.ClientCert == ""):
		return errors.New("client_auth_required needs client_key and client_cert")
	}
	return nil
}

// copyDir copies a tree; a source that is not there is fine. Packages come from other organizations, so anything but
// directories and regular files is refused: a symbolic link could pull a file of the peer's into the release.
func copyDir(source, target string) error {
	if _, err := os.Lstat(source); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return filepath.WalkDir(source, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		to := filepath.Join(target, relative)
		switch {
		case entry.IsDir():
			return os.MkdirAll(to, 0o700)
		case !entry.Type().IsRegular():
			return fmt.Errorf("%s is neither a file nor a directory", path)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o600)
	})
}
