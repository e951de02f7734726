// Command gateway is the SNI router at an organization's line ends, in a pod of its own. This package turns flags into
// options and reads routes from, and writes its report to, the ConfigMaps that package routing names.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/hanse-io/hanse/gateway"
	"github.com/hanse-io/hanse/gateway/configmap"
	"github.com/hanse-io/hanse/internal/logging"
	"github.com/hanse-io/hanse/internal/routing"
	"github.com/hanse-io/hanse/internal/version"
)

func main() {
	if err := command().ExecuteContext(ctrl.SetupSignalHandler()); err != nil {
		os.Exit(1)
	}
}

func command() *cobra.Command {
	o := gateway.DefaultOptions()
	logs := logging.Default()
	namespace, pod := os.Getenv("POD_NAMESPACE"), os.Getenv("POD_NAME")
	cmd := &cobra.Command{
		Use:          "gateway",
		Short:        "Route TLS connections between the organization's lines and its nodes",
		Version:      version.Current,
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logs.Set()
			if err != nil {
				return err
			}
			if namespace == "" {
				return fmt.Errorf("--namespace is needed: the one that the agent writes the gateway's routes to")
			}
			if pod == "" {
				return fmt.Errorf("--pod is needed: the name of this gateway's pod, which tells its report apart from those of other replicas")
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
			o.Source = &configmap.Source{Client: client, Namespace: namespace, Name: routing.RoutesConfigMap, Key: routing.RoutesKey}
			o.Sink = &configmap.Sink{
				Client: client, Namespace: namespace, Name: routing.ReportConfigMap, Key: routing.ReportKey(pod), FieldManager: routing.FieldManager,
			}
			log.Info("starting", "version", version.Current)
			return gateway.Run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&namespace, "namespace", namespace, "namespace of the agent and the gateway")
	cmd.Flags().StringVar(&pod, "pod", pod, "name of this gateway's pod, under which it reports the lines' health")
	o.AddFlags(cmd.Flags())
	logs.AddFlags(cmd.Flags())
	return cmd
}
