package gather

import (
	"context"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
)

// LogSource is where the logs of containers come from.
type LogSource interface {
	// Open opens the log of a container, of the last time since, with limit bytes at the most; that of its previous run
	// if previous is set.
	Open(ctx context.Context, namespace, pod, container string, previous bool, since time.Duration, limit int64) (io.ReadCloser, error)
}

// kubelets asks the kubelets, through the API server.
type kubelets struct{ clientset kubernetes.Interface }

func (k kubelets) Open(ctx context.Context, namespace, pod, container string, previous bool, since time.Duration, limit int64) (io.ReadCloser, error) {
	seconds := max(int64(since.Seconds()), 1)
	return k.clientset.CoreV1().Pods(namespace).GetLogs(pod, &corev1.PodLogOptions{
		Container: container, Previous: previous, SinceSeconds: &seconds, LimitBytes: &limit,
	}).Stream(ctx)
}

// logs adds what the containers of a pod have written.
func (g *gatherer) logs(ctx context.Context, pod corev1.Pod) {
	for _, status := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if status.State.Waiting != nil && status.RestartCount == 0 {
			g.bundle.leaveOut(fmt.Sprintf("log of %s/%s, container %s", pod.Namespace, pod.Name, status.Name), "it has not run yet: %s", status.State.Waiting.Reason)
			continue
		}
		g.log(ctx, pod, status.Name, false)
		if status.RestartCount > 0 {
			g.log(ctx, pod, status.Name, true)
		}
	}
}

func (g *gatherer) log(ctx context.Context, pod corev1.Pod, container string, previous bool) {
	name := fileName("namespaces", pod.Namespace, "logs", pod.Name, container+".log")
	if previous {
		name = fileName("namespaces", pod.Namespace, "logs", pod.Name, container+".previous.log")
	}
	g.bundle.add(name, func(w io.Writer) error {
		stream, err := g.source.Open(ctx, pod.Namespace, pod.Name, container, previous, g.since, g.logLimit)
		if err != nil {
			return err
		}
		defer stream.Close()
		// The API server stops at the limit; a source that does not is stopped here.
		read, err := io.Copy(w, io.LimitReader(stream, g.logLimit))
		if err == nil && read >= g.logLimit {
			g.bundle.leaveOut(name, "the log goes on after its first %d bytes: give a shorter --since, or a higher --log-limit", read)
		}
		return err
	})
}
