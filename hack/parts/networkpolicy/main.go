// Command network-policy enforces a cluster's NetworkPolicies on its one node with nft, for CNI plugins that do not. It
// watches pods, namespaces and policies, and replaces one nft table whenever what follows from them has changed. It runs in
// the node's network namespace.
//
// It must know nothing of who made the policies.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// debounce is how long changes are collected before the rules are computed anew.
const debounce = 20 * time.Millisecond

func main() {
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *kubeconfig); err != nil {
		fmt.Fprintln(os.Stderr, "network-policy:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods, namespaces, policies := factory.Core().V1().Pods(), factory.Core().V1().Namespaces(), factory.Networking().V1().NetworkPolicies()
	changed := make(chan struct{}, 1)
	for _, informer := range []cache.SharedIndexInformer{pods.Informer(), namespaces.Informer(), policies.Informer()} {
		if _, err := informer.AddEventHandler(notify(changed)); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("cannot list %v: is the API server up?", kind)
		}
	}
	var applied string
	for {
		rules, err := compute(pods.Lister().List, namespaces.Lister().List, policies.Lister().List)
		if err == nil && rules != applied {
			if err = replace(ctx, rules); err == nil {
				applied = rules
			}
		}
		var retry <-chan time.Time
		if err != nil {
			klog.ErrorS(err, "cannot apply the rules, trying again")
			retry = time.After(time.Second)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-retry:
		case <-changed:
			if !pause(ctx, debounce) {
				return nil
			}
		}
	}
}

// notify puts a token into changed on every event, unless one is there.
func notify(changed chan<- struct{}) cache.ResourceEventHandler {
	tell := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { tell() }, UpdateFunc: func(any, any) { tell() }, DeleteFunc: func(any) { tell() },
	}
}

// pause waits, and says whether to go on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// list is how a lister lists.
type list[T any] func(labels.Selector) ([]T, error)

func compute(pods list[*corev1.Pod], namespaces list[*corev1.Namespace], policies list[*networkingv1.NetworkPolicy]) (string, error) {
	var c cluster
	var err error
	if c.pods, err = pods(labels.Everything()); err != nil {
		return "", err
	}
	if c.policies, err = policies(labels.Everything()); err != nil {
		return "", err
	}
	all, err := namespaces(labels.Everything())
	if err != nil {
		return "", err
	}
	c.namespaces = map[string]labels.Set{}
	for _, namespace := range all {
		c.namespaces[namespace.Name] = namespace.Labels
	}
	return render(c.isolate()), nil
}

// replace hands the rules to nft, which takes all of them or none.
func replace(ctx context.Context, rules string) error {
	cmd := exec.CommandContext(ctx, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
