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

	"github.com/hanse-io/hanse/hack/testbed/project"
)

const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// write makes the archive of an image out of its files. It needs a scratch directory for the layer.
func write(i project.Image, scratch, to string, files []file) error {
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
	if made, err = mutate.ConfigFile(made, config(i, made)); err != nil {
		return err
	}
	tag, err := name.NewTag(i.Reference)
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

func config(i project.Image, made v1.Image) *v1.ConfigFile {
	layers, err := made.ConfigFile()
	if err != nil { // an image that was just put together in memory always has one
		panic(fmt.Sprintf("image %s: %v", i.Name, err))
	}
	file := layers.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Created = v1.Time{Time: epoch}
	file.History = nil
	file.Config = v1.Config{
		User: fmt.Sprintf("%[1]d:%[1]d", nobody), Env: append([]string{searchPath}, i.Env...),
		Entrypoint: i.Entrypoint, Cmd: i.Cmd, WorkingDir: "/",
	}
	return file
}
