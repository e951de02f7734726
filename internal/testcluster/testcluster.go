// Package testcluster starts the real API servers that integration tests run against, on machines that may be busy with
// other things at the same time. It must know nothing of what is tested.
package testcluster

import (
	"errors"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

const (
	// patience is for each program to start or to stop, and for each set of CRDs to be served. envtest's own is 20s and
	// 10s, which a machine under load exceeds.
	patience = 3 * time.Minute
	// attempts to start. envtest waits for no more than 5s for the default namespace, whatever it is told, and between
	// its choice of a port and the program's use of it anybody may take the port.
	attempts = 4
)

// Start runs an API server with etcd. build gives an Environment that has not been started, for each attempt a new one;
// the one that runs is returned, to be stopped by the caller.
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
	env.ControlPlaneStartTimeout, env.ControlPlaneStopTimeout = patience, patience
	env.CRDInstallOptions.MaxTime = patience
	// What tests write need not survive a crash of the machine.
	env.ControlPlane.Etcd = &envtest.Etcd{}
	env.ControlPlane.Etcd.Configure().Set("unsafe-no-fsync", "true")
}

// InstallCRDs installs the kinds of a folder into a cluster that runs.
func InstallCRDs(config *rest.Config, folder string) error {
	_, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{Paths: []string{folder}, MaxTime: patience})
	return err
}
