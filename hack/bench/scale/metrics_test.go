package scale

import "testing"

func TestSum(t *testing.T) {
	const text = `# HELP workqueue_depth Current depth
# TYPE workqueue_depth gauge
workqueue_depth{controller="consortium",name="a b"} 3
workqueue_depth{controller="line"} 1e+02
workqueue_depth_other 7
plain 4
`
	for _, c := range []struct {
		why, metric string
		want        float64
	}{
		{"samples of all labels, and not of a metric whose name is longer", "workqueue_depth", 103},
		{"one without labels", "plain", 4},
		{"none", "missing", 0},
	} {
		if got := sum(text, c.metric); got != c.want {
			t.Errorf("%s: %v, want %v", c.why, got, c.want)
		}
	}
}
