package images

import (
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// write makes the archive of an image out of its files. It needs a scratch directory for the layer.
func (i image) write(scratch, to string, files []file) error {
	layerFile := filepath.Join(scratch, "layer.tar")
	defer os.Remove(layerFile)
	if err := writeLayer(layerFile, files); err != nil {
		return err
	}
	layer, err := tarball.LayerFromFile(layerFile, tarball.WithCompressionLevel(gzip.BestSpeed))
	if err != nil {
		return err
	}
	made, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return err
	}
	if made, err = mutate.ConfigFile(made, i.config(made)); err != nil {
		return err
	}
	tag, err := name.NewTag(i.reference)
	if err != nil {
		return err
	}
	return tarball.WriteToFile(to, tag, made)
}

func writeLayer(to string, files []file) (err error) {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return archive(out, files)
}

func (i image) config(made v1.Image) *v1.ConfigFile {
	layers, err := made.ConfigFile()
	if err != nil { // an image that was just put together in memory always has one
		panic(fmt.Sprintf("image %s: %v", i.name, err))
	}
	config := layers.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Created = v1.Time{Time: epoch}
	config.History = nil
	config.Config = v1.Config{
		User: fmt.Sprintf("%[1]d:%[1]d", nobody), Env: append([]string{searchPath}, i.env...),
		Entrypoint: i.entry, Cmd: i.cmd, WorkingDir: "/",
	}
	return config
}
