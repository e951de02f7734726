//go:build integration

package line

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/snapshot"
	"github.com/hanse-io/hanse/internal/testcluster"
)

// start runs the controller on an API server with the host's kinds, and returns a client for these.
func start(t *testing.T) (client.Client, *events.FakeRecorder) {
	t.Helper()
	ctrl.SetLogger(logr.Discard())
	env, config, c, err := testcluster.StartWithCRDs("../../charts/federation/crds", v1alpha1.AddToScheme)
	must(t, err)
	t.Cleanup(func() { _ = env.Stop() })
	mgr, err := ctrl.NewManager(config, ctrl.Options{Scheme: c.Scheme(), Metrics: metricsserver.Options{BindAddress: "0"}})
	must(t, err)
	must(t, snapshot.Index(t.Context(), mgr.GetFieldIndexer()))
	recorder := events.NewFakeRecorder(100)
	r := &Reconciler{Client: mgr.GetClient(), Snapshot: snapshot.Reader{Cache: mgr.GetCache()}, Recorder: recorder, Clock: clock.RealClock{}}
	must(t, r.SetupWithManager(mgr, controller.Options{SkipNameValidation: ptr.To(true)}))
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the controller ended with: %v", err)
		}
	})
	return c, recorder
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually polls until check has nothing to say.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 3*time.Minute, true, func(context.Context) (bool, error) {
		last = check()
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("%s: %v", what, last)
	}
}

func line(name string, ends ...v1alpha1.LineEnd) *v1alpha1.Line {
	return &v1alpha1.Line{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.LineSpec{Ends: ends}}
}

func end(member, address string) v1alpha1.LineEnd {
	return v1alpha1.LineEnd{Member: member, Address: address}
}

// reports has a Member's agent, which is online or not, report on lines.
func reports(t *testing.T, c client.Client, member string, online metav1.ConditionStatus, lines ...v1alpha1.LineReport) {
	t.Helper()
	eventually(t, "the report of "+member, func() error {
		var m v1alpha1.Member
		if err := c.Get(t.Context(), client.ObjectKey{Name: member}, &m); err != nil {
			return err
		}
		m.Status.Lines = lines
		meta.SetStatusCondition(&m.Status.Conditions, metav1.Condition{Type: v1alpha1.MemberOnline, Status: online, Reason: "Test"})
		return c.Status().Update(t.Context(), &m)
	})
}

// shows waits until a Line has a condition whose message has the words.
func shows(t *testing.T, c client.Client, name, kind string, status metav1.ConditionStatus, reason, words string) v1alpha1.Line {
	t.Helper()
	var l v1alpha1.Line
	eventually(t, "line "+name, func() error {
		if err := c.Get(t.Context(), client.ObjectKey{Name: name}, &l); err != nil {
			return err
		}
		got := meta.FindStatusCondition(l.Status.Conditions, kind)
		if got == nil || got.Status != status || got.Reason != reason || !strings.Contains(got.Message, words) || l.Status.ObservedGeneration != l.Generation {
			return fmt.Errorf("%s is %+v, want %s, %s, %q", kind, got, status, reason, words)
		}
		return nil
	})
	return l
}

const (
	up, down = v1alpha1.LineUp, v1alpha1.LineDown
	yes, no  = metav1.ConditionTrue, metav1.ConditionFalse
	unknown  = metav1.ConditionUnknown
)

func report(name, member string, state v1alpha1.LineState) v1alpha1.LineReport {
	return v1alpha1.LineReport{Name: name, Member: member, State: state, Reverse: up}
}

// TestLineFollowsItsEnds takes one Line from its declaration through all that its ends can report.
func TestLineFollowsItsEnds(t *testing.T) {
	c, recorder := start(t)
	must(t, c.Create(t.Context(), line("a-b", end("a", "192.0.2.1"), end("b", "192.0.2.2"))))
	shows(t, c, "a-b", v1alpha1.ConditionAccepted, no, v1alpha1.ReasonNotFound, "there is no Member a, b")
	for _, name := range []string{"a", "b", "c"} {
		must(t, c.Create(t.Context(), &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	}
	shows(t, c, "a-b", v1alpha1.ConditionAccepted, yes, v1alpha1.ReasonAccepted, "")
	shows(t, c, "a-b", v1alpha1.ConditionReady, unknown, v1alpha1.ReasonUnreachable, "no contact with a")

	for _, step := range []struct {
		why            string
		a, b           []v1alpha1.LineReport
		bOnline        metav1.ConditionStatus
		status         metav1.ConditionStatus
		reason, words  string
		aState, bState v1alpha1.LineState
	}{
		{"neither has probed it", nil, nil, yes, unknown, v1alpha1.ReasonWaiting, "waiting for a and b to probe", "", ""},
		{"both reach each other", []v1alpha1.LineReport{report("a-b", "b", up)}, []v1alpha1.LineReport{report("a-b", "a", up)}, yes, yes, v1alpha1.ReasonLineUp, "reach each other", up, up},
		{"one does not", []v1alpha1.LineReport{report("a-b", "b", down)}, []v1alpha1.LineReport{report("a-b", "a", up)}, yes, no, v1alpha1.ReasonLineDown, "a does not reach b at 192.0.2.2:7443", down, up},
		{"a report of another far end is of another line", []v1alpha1.LineReport{report("a-b", "c", down)}, []v1alpha1.LineReport{report("a-b", "a", up)}, yes, yes, v1alpha1.ReasonLineUp, "", "", up},
		{"the one that is not heard is reached all the same, as the other says", []v1alpha1.LineReport{report("a-b", "b", up)}, []v1alpha1.LineReport{report("a-b", "a", down)}, unknown, yes, v1alpha1.ReasonLineUp, "", up, down},
	} {
		reports(t, c, "a", yes, step.a...)
		reports(t, c, "b", step.bOnline, step.b...)
		t.Log(step.why)
		shows(t, c, "a-b", v1alpha1.ConditionReady, step.status, step.reason, step.words)
		states := map[string]v1alpha1.LineState{"a": step.aState, "b": step.bState}
		eventually(t, step.why+": the ends", func() error {
			var l v1alpha1.Line
			if err := c.Get(t.Context(), client.ObjectKey{Name: "a-b"}, &l); err != nil {
				return err
			}
			got := map[string]v1alpha1.LineState{}
			for _, e := range l.Status.Ends {
				got[e.From] = e.State
			}
			for member, want := range states {
				if got[member] != want {
					return fmt.Errorf("%s reports %q, want %q", member, got[member], want)
				}
			}
			return nil
		})
	}
	select {
	case <-recorder.Events:
	default:
		t.Error("no event tells of any of this")
	}
}

// TestDuplicates: of two Lines between the same addresses the older one is accepted, until it is gone.
func TestDuplicates(t *testing.T) {
	c, _ := start(t)
	for _, name := range []string{"a", "b", "c"} {
		must(t, c.Create(t.Context(), &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	}
	first := line("first", end("a", "192.0.2.1"), end("b", "192.0.2.2"))
	must(t, c.Create(t.Context(), first))
	shows(t, c, "first", v1alpha1.ConditionAccepted, yes, v1alpha1.ReasonAccepted, "")
	before := shows(t, c, "first", v1alpha1.ConditionReady, unknown, v1alpha1.ReasonUnreachable, "")
	// Creation times have seconds; of the same second the name decides.
	must(t, c.Create(t.Context(), line("second", end("c", "192.0.2.2"), end("a", "192.0.2.1"))))
	shows(t, c, "second", v1alpha1.ConditionAccepted, no, v1alpha1.ReasonAddressTaken, "line first has the same two addresses")
	shows(t, c, "second", v1alpha1.ConditionReady, no, v1alpha1.ReasonAddressTaken, "")
	if after := shows(t, c, "first", v1alpha1.ConditionAccepted, yes, v1alpha1.ReasonAccepted, ""); after.ResourceVersion != before.ResourceVersion {
		t.Errorf("a status that says the same was written again: version %s, then %s", before.ResourceVersion, after.ResourceVersion)
	}

	must(t, c.Delete(t.Context(), first))
	shows(t, c, "second", v1alpha1.ConditionAccepted, yes, v1alpha1.ReasonAccepted, "")

	// A Line that is being deleted is left alone, and one that is gone is no error.
	held := line("held", end("a", "192.0.2.3"), end("b", "192.0.2.4"))
	held.Finalizers = []string{"example.com/hold"}
	must(t, c.Create(t.Context(), held))
	shows(t, c, "held", v1alpha1.ConditionAccepted, yes, v1alpha1.ReasonAccepted, "")
	must(t, c.Delete(t.Context(), held))
	reports(t, c, "a", yes, report("held", "b", up), report("second", "c", up))
	reports(t, c, "b", yes, report("held", "a", up))
	reports(t, c, "c", yes, report("second", "a", up))
	shows(t, c, "second", v1alpha1.ConditionReady, yes, v1alpha1.ReasonLineUp, "") // which was told of later
	must(t, c.Get(t.Context(), client.ObjectKeyFromObject(held), held))
	if meta.IsStatusConditionTrue(held.Status.Conditions, v1alpha1.ConditionReady) {
		t.Errorf("a line that is being deleted was worked on: %+v", held.Status)
	}
	eventually(t, "the finalizer is removed", func() error {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(held), held); err != nil {
			return err
		}
		held.Finalizers = nil
		return c.Update(t.Context(), held)
	})
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(held), held); !apierrors.IsNotFound(err) {
		t.Errorf("the line is still there: %v", err)
	}
}
