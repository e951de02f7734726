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
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/hanse-io/hanse/hack/testbed/project"
)

const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// write makes the archive of an image out of its files. It needs a scratch directory for the layer.
func write(i project.Image, scratch, to string, files []file) error {
	layerFile := filepath.Join(scratch, "layer.tar")
	defer os.Remove(layerFile)
	made, err := assemble(i, runtime.GOARCH, empty.Image, layerFile, files)
	if err != nil {
		return err
	}
	tag, err := name.NewTag(i.Reference)
	if err != nil {
		return err
	}
	return tarball.WriteToFile(to, tag, made)
}

// Make makes an image of the clone's own programs, as the testbed runs it, for one architecture and as OCI has it. programs
// are files of this machine by their paths in the image. scratch takes the layer, which has to stay there until the image
// has been written.
func Make(i project.Image, arch, scratch string, programs map[string]string) (v1.Image, error) {
	files := base()
	for _, b := range i.Binaries {
		if programs[b.Path] == "" {
			return nil, fmt.Errorf("image %s: there is no program for %s", i.Name, b.Path)
		}
		files = append(files, file{path: b.Path, mode: 0o755, source: programs[b.Path]})
	}
	if len(i.Files)+len(i.Links)+len(i.Writable) > 0 {
		return nil, fmt.Errorf("image %s: it has more than programs, which is not supported here", i.Name)
	}
	oci := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	return assemble(i, arch, oci, filepath.Join(scratch, i.Name+"-"+arch+".tar"), withParents(files), tarball.WithMediaType(types.OCILayer))
}

// assemble adds a layer of the files, and the configuration, to an empty image.
func assemble(i project.Image, arch string, to v1.Image, layerFile string, files []file, options ...tarball.LayerOption) (v1.Image, error) {
	if err := writeLayer(layerFile, files); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromFile(layerFile, append(options, tarball.WithCompressionLevel(gzip.BestSpeed))...)
	if err != nil {
		return nil, err
	}
	made, err := mutate.AppendLayers(to, layer)
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(made, config(i, arch, made))
}

func writeLayer(to string, files []file) (err error) {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return archive(out, files)
}

func config(i project.Image, arch string, made v1.Image) *v1.ConfigFile {
	layers, err := made.ConfigFile()
	if err != nil { // an image that was just put together in memory always has one
		panic(fmt.Sprintf("image %s: %v", i.Name, err))
	}
	file := layers.DeepCopy()
	file.OS, file.Architecture = "linux", arch
	file.Created = v1.Time{Time: epoch}
	file.History = nil
	file.Config = v1.Config{
		User: fmt.Sprintf("%[1]d:%[1]d", nobody), Env: append([]string{searchPath}, i.Env...),
		Entrypoint: i.Entrypoint, Cmd: i.Cmd, WorkingDir: "/",
	}
	return file
}
