package fabric

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// contractName is the name of a contract's workload, its Service and its package's label.
func contractName(contract v1alpha1.PlanContract) string { return contract.WorkloadName() }

// builderRoot is the value under which a peer's builder finds the root that the organization's contracts are certified by.
const builderRoot = "root"

// builderConfig is what a peer hands to the builder of contracts that run as services, which fills the placeholders in a
// package with it. The root is public, and lives as long as the authority: a package keeps it in the peer's volume.
func builderConfig(roots []string) string {
	config, err := json.Marshal(map[string]string{builderRoot: strings.Join(roots, "")})
	if err != nil {
		panic("fabric: strings that cannot be encoded: " + err.Error())
	}
	return string(config)
}

// contractPackage is the package that peers install: where to reach the contract in their own cluster, what runs there, and no
// code.
//
// The image and all else that says what runs is in it, so that another image has another ID, which is approved anew. A peer
// accepts a contract's connection only under the ID of the package that was approved for the committed definition: so each
// has a workload and an address of its own, and the one that is committed runs on until the next one is. Neither version nor
// sequence is in it: the definition holds those. Nor is a certificate, which would change the ID at every organization: the
// peer's builder puts the organization's own root in.
func contractPackage(consortium string, contract v1alpha1.PlanContract) (id string, archive []byte, err error) {
	label := contractName(contract)
	values := map[string]any{
		"address":      net.JoinHostPort(v1alpha1.NodeHost(label, consortium), strconv.Itoa(v1alpha1.PortContract)),
		"dial_timeout": "10s",
		"tls_required": contract.TLS,
	}
	if contract.TLS {
		values["root_cert"] = "{{." + builderRoot + "}}"
	}
	connection, err := json.Marshal(values)
	if err != nil {
		return "", nil, err
	}
	metadata, err := json.Marshal(map[string]string{"type": "ccaas", "label": label})
	if err != nil {
		return "", nil, err
	}
	// No builder reads it: it makes the approval bind to it.
	runs, err := json.Marshal(map[string]string{
		"channel": contract.Channel, "contract": contract.Name, "image": contract.Image, "runtime": contract.RuntimeHash(),
	})
	if err != nil {
		return "", nil, err
	}
	code, err := archiveOf([]file{{"connection.json", connection}, {"contract.json", runs}})
	if err != nil {
		return "", nil, err
	}
	if archive, err = archiveOf([]file{{"metadata.json", metadata}, {"code.tar.gz", code}}); err != nil {
		return "", nil, err
	}
	hash := sha256.Sum256(archive)
	return label + ":" + hex.EncodeToString(hash[:]), archive, nil
}

type file struct {
	name string
	data []byte
}

// compressors are pooled: one has a megabyte, and the ID of a package is computed in every run.
var compressors = sync.Pool{New: func() any {
	compressor, err := gzip.NewWriterLevel(nil, gzip.NoCompression)
	if err != nil {
		panic("fabric: gzip knows no level without compression: " + err.Error())
	}
	return compressor
}}

// archiveOf writes a tar.gz that depends on nothing but its files: no times, no owners.
func archiveOf(files []file) ([]byte, error) {
	var buffer bytes.Buffer
	// Stored, not compressed: what a compressor makes of the same input may change with its release, and the ID is the
	// hash of these bytes in every organization, whichever release of the agent it runs.
	compressor := compressors.Get().(*gzip.Writer)
	defer compressors.Put(compressor)
	compressor.Reset(&buffer)
	writer := tar.NewWriter(compressor)
	for _, file := range files {
		header := &tar.Header{
			Format: tar.FormatUSTAR, Typeflag: tar.TypeReg, Name: file.name, Mode: 0o644, Size: int64(len(file.data)),
		}
		if err := writer.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("package %s: %w", file.name, err)
		}
		if _, err := writer.Write(file.data); err != nil {
			return nil, fmt.Errorf("package %s: %w", file.name, err)
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	if err := compressor.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}
