package main

import (
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/hanse-io/hanse/member-agent/line"
	"github.com/hanse-io/hanse/member-agent/line/configmap"
)

func gatewayCommand() *cobra.Command {
	o := line.DefaultOptions()
	var logs logging
	election := false
	namespace := os.Getenv("POD_NAMESPACE")
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Route TLS connections between the organization's lines and its nodes",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logs.set()
			if err != nil {
				return err
			}
			if namespace == "" {
				return fmt.Errorf("--namespace is needed: the one that the agent writes the gateway's routes to")
			}
			config, err := ctrl.GetConfig()
			if err != nil {
				return fmt.Errorf("find the API server: %w", err)
			}
			client, err := kubernetes.NewForConfig(config)
			if err != nil {
				return fmt.Errorf("make a client for the API server: %w", err)
			}
			o.Log = log
			o.Source = &configmap.Source{Client: client, Namespace: namespace, Name: line.RoutesConfigMap, Key: line.RoutesKey}
			o.Sink = &configmap.Sink{
				Client: client, Namespace: namespace, Name: line.ReportConfigMap, Key: line.ReportKey, FieldManager: line.FieldManager,
			}
			if !election {
				return line.Run(cmd.Context(), o)
			}
			leads, run, err := electReporter(client, namespace, os.Getenv("POD_NAME"), log)
			if err != nil {
				return err
			}
			o.Reports = leads
			ctx, cancel := context.WithCancel(cmd.Context())
			var tasks sync.WaitGroup
			tasks.Go(func() { run(ctx) })
			defer tasks.Wait()
			defer cancel()
			return line.Run(ctx, o)
		},
	}
	cmd.Flags().StringVar(&namespace, "namespace", namespace, "namespace of the agent and the gateway")
	cmd.Flags().BoolVar(&election, "leader-election", election, "of several gateways let one report the lines' health")
	o.AddFlags(cmd.Flags())
	logs.addFlags(cmd.Flags())
	return cmd
}
