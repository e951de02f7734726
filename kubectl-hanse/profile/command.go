// Package profile writes a connection profile for applications that are built on Fabric's SDKs, out of the public
// material on the host. It must not read a Secret.
package profile

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/kubectl-hanse/access"
)

// Command is `kubectl hanse profile`.
func Command(flags *access.Flags) *cobra.Command {
	var member, output string
	cmd := &cobra.Command{
		Use:   "profile CONSORTIUM --member MEMBER",
		Short: "Print the connection profile of one member's applications",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster, err := flags.Open()
			if err != nil {
				return err
			}
			facts, err := read(cmd.Context(), cluster.Client, member, args[0])
			if err != nil {
				return err
			}
			d, err := build(facts)
			if err != nil {
				return err
			}
			text, err := encode(d, output)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	cmd.Flags().StringVar(&member, "member", "", "the member whose applications the profile is for")
	cmd.Flags().StringVarP(&output, "output", "o", "yaml", "yaml or json")
	_ = cmd.MarkFlagRequired("member")
	return cmd
}

func encode(d document, output string) ([]byte, error) {
	switch output {
	case "yaml":
		return yaml.Marshal(d)
	case "json":
		text, err := json.MarshalIndent(d, "", "  ")
		return append(text, '\n'), err
	}
	return nil, fmt.Errorf("--output %q is neither yaml nor json", output)
}

// read fetches the Member's plan: it carries the records of all.
func read(ctx context.Context, objects client.Client, member, consortium string) (Facts, error) {
	facts := Facts{Records: map[string]v1alpha1.Record{}}
	key := types.NamespacedName{Namespace: v1alpha1.MemberNamespace(member), Name: consortium}
	if err := objects.Get(ctx, key, &facts.Plan); err != nil {
		if apierrors.IsNotFound(err) {
			return facts, fmt.Errorf("%s has no plan for consortium %s on this cluster: is this the host, and is the member in it?", member, consortium)
		}
		return facts, fmt.Errorf("read the plan of %s: %w", member, err)
	}
	records := map[string]*v1alpha1.SignedRecord{member: facts.Plan.Status.Record}
	for _, m := range facts.Plan.Spec.Members {
		if m.Name != member {
			records[m.Name] = m.Record
		}
	}
	for name, signed := range records {
		var record v1alpha1.Record
		if signed == nil {
			continue
		}
		if err := json.Unmarshal(signed.Payload, &record); err != nil {
			return facts, fmt.Errorf("the record of %s cannot be read: %w", name, err)
		}
		facts.Records[name] = record
	}
	return facts, nil
}
