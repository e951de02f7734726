// Package buildcmd is the testbed's command line for what can be built without any cluster: parts, images, manifests.
//
// It only turns words into calls of the packages that do the work.
package buildcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hanse-io/hanse/hack/testbed/images"
	"github.com/hanse-io/hanse/hack/testbed/parts"
)

// Commands are parts, images, assets and manifests, to be added to the testbed command.
func Commands() []*cobra.Command {
	commands := []*cobra.Command{partsCommand(), imagesCommand(), assetsCommand(), manifestsCommand()}
	for _, command := range commands {
		command.PersistentPreRunE = anybody
	}
	return commands
}

// anybody takes the place of what the root command asks before it touches clusters: building needs no rights.
func anybody(*cobra.Command, []string) error { return nil }

func partsCommand() *cobra.Command {
	path := false
	command := &cobra.Command{
		Use:   "parts [name…]",
		Short: "Build the programs that clusters are made of, and print where they are",
		Long: "Builds the named programs from the modules that testbed.yaml names, all of them without a name, and prints\n" +
			"name and path of each. What is in the cache already is not built again.\n\nParts: " + strings.Join(parts.Names(), ", "),
		ValidArgs: parts.Names(),
		RunE: func(cmd *cobra.Command, names []string) error {
			if !path {
				return ensure(parts.Ensure)(cmd, names)
			}
			if len(names) != 1 {
				return errors.New("--path prints one path: name one part")
			}
			paths, err := parts.Ensure(cmd.Context(), cmd.ErrOrStderr(), names[0])
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), paths[names[0]])
			}
			return err
		},
	}
	command.Flags().BoolVar(&path, "path", false, "print the path alone, of one part")
	return command
}

func imagesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "images [name…]",
		Short: "Build the image archives that pods run from, and print where they are",
		Long: "Builds the named images, all of them without a name, and prints name and archive of each. Import an archive\n" +
			"with: ctr -n k8s.io images import FILE\n\nImages: " + strings.Join(images.Names(), ", "),
		ValidArgs: images.Names(),
		RunE:      ensure(images.Ensure),
	}
}

func assetsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "assets",
		Short: "Print a directory that can be KUBEBUILDER_ASSETS, building what it needs",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := parts.Assets(cmd.Context(), cmd.ErrOrStderr())
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), dir)
			}
			return err
		},
	}
}

func manifestsCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "manifests NAME",
		Short:     "Print what to apply to a cluster so that it has something",
		Long:      "Prints one YAML stream.\n\nNames: " + strings.Join(parts.ManifestNames(), ", "),
		ValidArgs: parts.ManifestNames(),
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		RunE: func(cmd *cobra.Command, names []string) error {
			stream, err := parts.Manifests(cmd.Context(), names[0])
			if err == nil {
				_, err = cmd.OutOrStdout().Write(stream)
			}
			return err
		},
	}
}

// ensure makes a command of a function that builds things by name: progress to stderr, a table to stdout.
func ensure(build func(context.Context, io.Writer, ...string) (map[string]string, error)) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, names []string) error {
		paths, err := build(cmd.Context(), cmd.ErrOrStderr(), names...)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(paths)) {
			fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\n", name, paths[name])
		}
		return nil
	}
}
