package gather

import (
	"context"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
)

// metricsPorts are where Hanse's components serve their metrics, by the label app.kubernetes.io/name.
var metricsPorts = map[string]int{"federation": 8080, "member-agent": 8080, "gateway": 9090}

// maxMetrics is how much of one component's metrics is read, in bytes.
const maxMetrics = 4 << 20

// metrics adds those of a component's pod, through the API server.
func (g *gatherer) metrics(ctx context.Context, pod corev1.Pod) {
	port := metricsPorts[pod.Labels["app.kubernetes.io/name"]]
	if port == 0 || pod.Labels["app.kubernetes.io/part-of"] != "hanse" || pod.Status.Phase != corev1.PodRunning {
		return
	}
	g.bundle.add(fileName("namespaces", pod.Namespace, "metrics", pod.Name+".txt"), func(w io.Writer) error {
		stream, err := g.cluster.Clientset.CoreV1().RESTClient().Get().Namespace(pod.Namespace).Resource("pods").
			Name(fmt.Sprintf("%s:%d", pod.Name, port)).SubResource("proxy").Suffix("metrics").Stream(ctx)
		if err != nil {
			return err
		}
		defer stream.Close()
		_, err = io.Copy(w, io.LimitReader(stream, maxMetrics))
		return err
	})
}
