// Command cert-manager-controller is cert-manager with the controllers and issuers that Hanse uses: certificates,
// their requests, and CA and self-signed issuers. Upstream's own command is a module that no proxy serves; its
// controllers are public packages that register themselves, so this only starts them.
//
// It must know nothing of Hanse: what it issues is what upstream would issue.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cert-manager/cert-manager/pkg/controller"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
)

const workers = 5

type options struct {
	kubeconfig, clusterResourceNamespace, health string
}

func main() {
	o := options{}
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig file; empty means the pod's service account")
	flag.StringVar(&o.clusterResourceNamespace, "cluster-resource-namespace", "cert-manager", "namespace of the Secrets that ClusterIssuers name")
	flag.StringVar(&o.health, "health-address", ":9403", "address that serves /livez; empty means none")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "cert-manager-controller:", err)
		os.Exit(1)
	}
}

// run starts every controller that registered itself. There is no leader election: the Deployment has one replica
// and replaces it (strategy Recreate), so two never run at once.
func run(ctx context.Context, o options) error {
	group, ctx := errgroup.WithContext(ctx)
	ctx = logf.NewContext(ctx, logf.Log, "controller")
	factory, err := controller.NewContextFactory(ctx, contextOptions(o))
	if err != nil {
		return fmt.Errorf("cannot make the clients (is the kubeconfig or the service account right?): %w", err)
	}
	shared, err := factory.Build()
	if err != nil {
		return err
	}
	for name, construct := range controller.Known() {
		if strings.HasPrefix(name, "certificaterequests-issuer-") && !slices.Contains([]string{"certificaterequests-issuer-ca", "certificaterequests-issuer-selfsigned"}, name) {
			continue // came in with a shared package; its issuer is not built in
		}
		c, err := construct(factory)
		if err != nil {
			return fmt.Errorf("cannot construct the %s controller: %w", name, err)
		}
		fmt.Println("starting", name)
		group.Go(func() error { return c.Run(workers, ctx) })
	}
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())
	shared.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	if o.health != "" {
		group.Go(func() error { return serveHealth(ctx, o.health) })
	}
	return group.Wait()
}

func contextOptions(o options) controller.ContextOptions {
	return controller.ContextOptions{
		Kubeconfig: o.kubeconfig,
		// A consortium's nine certificates cost two hundred and fifty requests: upstream's limits of 20 a second after the
		// first 50, which are there to protect API servers older than their own priority and fairness, would be most of
		// the time that they take.
		KubernetesAPIQPS:   500,
		KubernetesAPIBurst: 1000,
		IssuerOptions:      controller.IssuerOptions{ClusterResourceNamespace: o.clusterResourceNamespace},
		CertificateOptions: controller.CertificateOptions{
			CopiedAnnotationPrefixes:                 []string{"*", "-kubectl.kubernetes.io/", "-fluxcd.io/", "-argocd.argoproj.io/"},
			CertificateRequestMinimumBackoffDuration: time.Hour,
			CertificateRequestMaximumBackoffDuration: 32 * time.Hour,
		},
	}
}

func serveHealth(ctx context.Context, address string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("health endpoint: %w", err)
	}
	return nil
}
