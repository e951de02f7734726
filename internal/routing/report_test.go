package routing

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

const (
	up      = v1alpha1.LineUp
	down    = v1alpha1.LineDown
	unknown = v1alpha1.LineUnknown
)

var now = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

type line = v1alpha1.LineReport

// reported is the text of a report of that age.
func reported(t *testing.T, age time.Duration, lines ...line) string {
	t.Helper()
	text, err := json.Marshal(Report[line]{Time: now.Add(-age), Lines: lines})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func second(n int64) metav1.Time { return metav1.Unix(n, 0) }

// TestMergedLine merges what two gateways say of one line, in both orders.
func TestMergedLine(t *testing.T) {
	for _, c := range []struct {
		why        string
		a, b, want line
	}{
		{"both reach it", line{State: up}, line{State: up}, line{State: up}},
		{"one reaches it, so that there is a way", line{State: up}, line{State: down, Reason: v1alpha1.LineUnreachable}, line{State: up}},
		{"a gateway that has just started knows nothing", line{State: up}, line{State: unknown, Reason: v1alpha1.LineNotProbed}, line{State: up}},
		{"nor does it make a line that is down better", line{State: down, Reason: v1alpha1.LineUnreachable}, line{State: unknown, Reason: v1alpha1.LineNotProbed}, line{State: down, Reason: v1alpha1.LineUnreachable}},
		{"nobody reaches it", line{State: down}, line{State: down}, line{State: down}},
		{"the reason that helps most", line{State: down, Reason: v1alpha1.LineUnreachable}, line{State: down, Reason: v1alpha1.LineNotAllowed}, line{State: down, Reason: v1alpha1.LineNotAllowed}},
		{"limits are each gateway's own, so that one that is full rejects", line{State: up}, line{State: up, Reason: v1alpha1.LineFull}, line{State: up, Reason: v1alpha1.LineFull}},
		{"it carries the traffic of one", line{State: up, Active: true}, line{State: up}, line{State: up, Active: true}},
		{"even of one that sees it down, having no other", line{State: up}, line{State: down, Active: true}, line{State: up, Active: true}},
		{"the shorter round trip", line{State: up, RTTMicroseconds: 900}, line{State: up, RTTMicroseconds: 300}, line{State: up, RTTMicroseconds: 300}},
		{"none is not the shortest", line{State: up}, line{State: up, RTTMicroseconds: 300}, line{State: up, RTTMicroseconds: 300}},
		{"up since the first of them has seen it up", line{State: up, Since: second(5)}, line{State: up, Since: second(9)}, line{State: up, Since: second(5)}},
		{"down since the last of them has seen it down", line{State: down, Since: second(5)}, line{State: down, Since: second(9)}, line{State: down, Since: second(9)}},
		{"since when, of the one that decides", line{State: up, Since: second(9)}, line{State: down, Since: second(5)}, line{State: up, Since: second(9)}},
		{"the way back by the one that has been told it works", line{State: up, Reverse: down}, line{State: up, Reverse: up}, line{State: up, Reverse: up}},
		{"a way back that is known beats one that is not", line{State: up, Reverse: unknown}, line{State: up, Reverse: down}, line{State: up, Reverse: down}},
	} {
		t.Run(c.why, func(t *testing.T) {
			for _, l := range []*line{&c.a, &c.b, &c.want} {
				l.Name, l.Member = "l", "org2"
			}
			for _, order := range [][]line{{c.a, c.b}, {c.b, c.a}} {
				merged, err := MergeReports(map[string]string{
					"gateway-1.json": reported(t, 0, order[0]), "gateway-2.json": reported(t, 0, order[1]),
				}, now)
				if err != nil || len(merged.Lines) != 1 {
					t.Fatalf("%+v, %v", merged, err)
				}
				got := merged.Lines[0]
				if !got.Since.Equal(&c.want.Since) {
					t.Errorf("since %v, want %v", got.Since, c.want.Since)
				}
				if got.Since = c.want.Since; got != c.want {
					t.Errorf("got %+v, want %+v", got, c.want)
				}
			}
		})
	}
}

// TestReportsThatCount has reports of several ages, of which each says the line up.
func TestReportsThatCount(t *testing.T) {
	const fresh, late, gone = ReportTimeout, ReportTimeout + time.Second, 10*time.Minute + time.Second
	l := func(name, member string) line { return line{Name: name, Member: member, State: up} }
	for _, c := range []struct {
		why      string
		data     map[string]string
		lines    []string // name/member
		expires  time.Duration
		obsolete []string
	}{
		{"no gateway has reported", nil, nil, 0, nil},
		{"one has, this very moment", map[string]string{"a.json": reported(t, 0, l("l", "b"))}, []string{"l/b"}, ReportTimeout, nil},
		{"one that has no line, which is more than no report", map[string]string{"a.json": reported(t, 0)}, []string{}, ReportTimeout, nil},
		{"at the last moment", map[string]string{"a.json": reported(t, fresh, l("l", "b"))}, []string{"l/b"}, 0, nil},
		{"its pod is gone, or its node", map[string]string{"a.json": reported(t, late, l("l", "b"))}, nil, 0, nil},
		{"and has been for long", map[string]string{"a.json": reported(t, gone, l("l", "b"))}, nil, 0, []string{"a.json"}},
		{"a clock that is a little ahead", map[string]string{"a.json": reported(t, -fresh, l("l", "b"))}, []string{"l/b"}, 2 * ReportTimeout, nil},
		{"a clock that nobody can go by", map[string]string{"a.json": reported(t, -late, l("l", "b"))}, nil, 0, nil},
		{
			"the one that is gone does not count, and the first that will be sets the time",
			map[string]string{"a.json": reported(t, late, l("x", "b")), "b.json": reported(t, 20*time.Second, l("l", "b")), "c.json": reported(t, 5*time.Second, l("l", "b"))},
			[]string{"l/b"}, ReportTimeout - 20*time.Second, nil,
		},
		{
			"of two far ends of a line that was moved the newer report has the right one",
			map[string]string{"a.json": reported(t, 3*time.Second, l("l", "b")), "b.json": reported(t, time.Second, l("l", "c"))},
			[]string{"l/c"}, ReportTimeout - 3*time.Second, nil,
		},
		{
			"sorted, and a line that only one has heard of",
			map[string]string{"a.json": reported(t, 0, l("m", "b"), l("z", "b")), "b.json": reported(t, 0, l("a", "c"), l("m", "b"))},
			[]string{"a/c", "m/b", "z/b"}, ReportTimeout, nil,
		},
		{
			"what cannot be read is passed over while there is another report",
			map[string]string{"a.json": "{", "b.json": reported(t, 0, l("l", "b"))}, []string{"l/b"}, ReportTimeout, nil,
		},
	} {
		t.Run(c.why, func(t *testing.T) {
			got, err := MergeReports(c.data, now)
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			if got.Lines != nil {
				lines = []string{}
			}
			for _, l := range got.Lines {
				lines = append(lines, l.Name+"/"+l.Member)
			}
			if !reflect.DeepEqual(lines, c.lines) {
				t.Errorf("lines %v, want %v", lines, c.lines)
			}
			var expires time.Duration
			if !got.Expires.IsZero() {
				expires = got.Expires.Sub(now)
			}
			if expires != c.expires || got.Expires.IsZero() != (c.lines == nil) {
				t.Errorf("expires in %v, want %v", expires, c.expires)
			}
			if !slices.Equal(got.Obsolete, c.obsolete) {
				t.Errorf("obsolete: %v, want %v", got.Obsolete, c.obsolete)
			}
		})
	}
}

func TestReportsThatCannotBeRead(t *testing.T) {
	for why, text := range map[string]string{"half of one": `{"time":`, "a list": `[]`, "no time": `{"time":"yesterday"}`} {
		got, err := MergeReports(map[string]string{"gateway-1.json": text}, now)
		if err == nil || !strings.Contains(err.Error(), "gateway gateway-1:") || !strings.Contains(err.Error(), "delete the key gateway-1.json") {
			t.Errorf("%s: %v", why, err)
		}
		if got.Lines != nil || got.Obsolete != nil {
			t.Errorf("%s: %+v", why, got)
		}
	}
}

// TestDetailStaysInTheCluster: whatever else a gateway writes of a line, the agent's type has no room for it.
func TestDetailStaysInTheCluster(t *testing.T) {
	type detailed struct {
		line   `json:",inline"`
		Detail string `json:"detail"`
	}
	text, err := json.Marshal(Report[detailed]{Time: now, Lines: []detailed{{line{Name: "l", Member: "b", State: up}, "x509: secret"}}})
	if err != nil || !strings.Contains(string(text), "secret") {
		t.Fatalf("%s, %v", text, err)
	}
	merged, err := MergeReports(map[string]string{ReportKey("p"): string(text)}, now)
	if err != nil || len(merged.Lines) != 1 || merged.Lines[0].State != up {
		t.Fatalf("%+v, %v", merged, err)
	}
	if all, _ := json.Marshal(merged); strings.Contains(string(all), "secret") {
		t.Errorf("the detail went on: %s", all)
	}
}
