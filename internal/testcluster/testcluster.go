// Package testcluster starts the API servers of integration tests, with timeouts for machines under load. It must know
// nothing of what is tested.
package testcluster

import (
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

const (
	// startTimeout is for each program to start or to stop, and for each set of CRDs to be served. envtest's own timeouts are
	// 20s and 10s, which a machine under load exceeds.
	startTimeout = 3 * time.Minute
	// attempts to start. envtest waits for the default namespace for 5s only, which cannot be configured, and another process
	// may take the port between its choice and its use.
	attempts = 4
)

// Start runs an API server with etcd. build returns a new Environment for each attempt; the one that runs is returned, to be
// stopped by the caller.
func Start(build func() *envtest.Environment) (*envtest.Environment, *rest.Config, error) {
	var failed []error
	for range attempts {
		env := build()
		prepare(env)
		config, err := env.Start()
		if err == nil {
			return env, config, nil
		}
		failed = append(failed, err, env.Stop())
	}
	return nil, nil, errors.Join(failed...)
}

func prepare(env *envtest.Environment) {
	env.ControlPlaneStartTimeout, env.ControlPlaneStopTimeout = startTimeout, startTimeout
	env.CRDInstallOptions.MaxTime = startTimeout
	// Test data need not survive a crash of the machine.
	env.ControlPlane.Etcd = &envtest.Etcd{}
	env.ControlPlane.Etcd.Configure().Set("unsafe-no-fsync", "true")
}

// InstallCRDs installs the CRDs of a folder into a running cluster.
func InstallCRDs(config *rest.Config, folder string) error {
	_, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{Paths: []string{folder}, MaxTime: startTimeout})
	return err
}

// StartWithCRDs runs an API server that serves the CRDs of a folder, and returns a client for the kinds that add adds to a
// scheme. The environment is to be stopped by the caller.
func StartWithCRDs(folder string, add ...func(*runtime.Scheme) error) (*envtest.Environment, *rest.Config, client.Client, error) {
	env, config, err := Start(func() *envtest.Environment {
		return &envtest.Environment{CRDDirectoryPaths: []string{folder}, ErrorIfCRDPathMissing: true}
	})
	if err != nil {
		return nil, nil, nil, err
	}
	scheme := runtime.NewScheme()
	for _, to := range add {
		err = errors.Join(err, to(scheme))
	}
	c, failed := client.New(config, client.Options{Scheme: scheme})
	if err = errors.Join(err, failed); err != nil {
		return nil, nil, nil, errors.Join(err, env.Stop())
	}
	return env, config, c, nil
}
