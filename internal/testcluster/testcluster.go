// Package testcluster starts the API servers of integration tests, with timeouts for machines under load. It must know
// nothing of what is tested.
package testcluster

import (
	"errors"
	"time"

	"k8s.io/client-go/rest"
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
