package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/logging"
	"github.com/hanse-io/hanse/internal/version"
)

// options are the values of the flags.
type options struct {
	metricsAddress string
	healthAddress  string
	pprofAddress   string
	leaderElection bool
	namespace      string
	workers        int
	logs           logging.Options
	contractImages map[string]string
}

func defaults() options {
	return options{
		metricsAddress: ":8080",
		healthAddress:  ":8081",
		leaderElection: true,
		namespace:      "hanse-system",
		workers:        16,
		logs:           logging.Default(),
	}
}

func (o *options) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.metricsAddress, "metrics-address", o.metricsAddress, "address that serves metrics; 0 for none")
	flags.StringVar(&o.healthAddress, "health-address", o.healthAddress, "address that serves /healthz and /readyz; 0 for none")
	flags.StringVar(&o.pprofAddress, "pprof-address", o.pprofAddress, "address that serves profiles under /debug/pprof/, for whoever reaches it: take one such as 127.0.0.1:6060; none if empty")
	flags.BoolVar(&o.leaderElection, "leader-election", o.leaderElection, "run the controllers on one of several replicas at a time")
	flags.StringVar(&o.namespace, "namespace", o.namespace, "namespace of the leader election's Lease")
	flags.IntVar(&o.workers, "workers", o.workers, "objects of each kind that are worked on at the same time")
	flags.StringToStringVar(&o.contractImages, "contract-images", o.contractImages, "images of the contracts that ship with Hanse, as TEMPLATE=IMAGE: from another registry, or by digest")
	o.logs.AddFlags(flags)
}

func (o *options) validate() error {
	if o.workers < 1 {
		return errors.New("--workers must be at least 1")
	}
	if o.leaderElection && o.namespace == "" {
		return errors.New("--leader-election needs --namespace, where its Lease is kept")
	}
	if _, err := o.templateImages(); err != nil {
		return err
	}
	_, err := o.logs.Handler()
	return err
}

// templateImages are the images of contract templates that the flag sets.
func (o *options) templateImages() (map[v1alpha1.ContractTemplate]string, error) {
	images := map[v1alpha1.ContractTemplate]string{}
	for name, image := range o.contractImages {
		template := v1alpha1.ContractTemplate(name)
		if template != v1alpha1.TemplateNotary && template != v1alpha1.TemplateAsset {
			return nil, fmt.Errorf("--contract-images: there is no template %q: use %s or %s", name, v1alpha1.TemplateNotary, v1alpha1.TemplateAsset)
		}
		if image == "" || len(image) > 512 {
			return nil, fmt.Errorf("--contract-images: the image of %s must have 1 to 512 characters", name)
		}
		images[template] = image
	}
	return images, nil
}

// shutdownTime is how long running reconciles may take to end.
const shutdownTime = 10 * time.Second

// Times of the leader election. A busy API server may take several seconds for a renewal; a replica that stops in order
// gives up its lease at once, and only after a crash another one waits for leaseDuration.
const (
	leaseDuration = 30 * time.Second
	renewDeadline = 25 * time.Second
	retryPeriod   = 4 * time.Second
)

func command() *cobra.Command {
	o := defaults()
	cmd := &cobra.Command{
		Use:           "federation",
		Short:         "The host's controller of Hanse",
		Version:       version.Current,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: false,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			if _, err := o.logs.Set(); err != nil {
				return err
			}
			config, err := ctrl.GetConfig()
			if err != nil {
				return fmt.Errorf("find the API server: %w", err)
			}
			return run(cmd.Context(), config, o)
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}
