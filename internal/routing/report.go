package routing

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

const (
	// ReportInterval is how often a gateway reports at least, whether or not anything has changed.
	ReportInterval = 20 * time.Second
	// ReportTimeout is how long a report counts: three intervals, so that a lost write or two matter to nobody. The clocks
	// of the cluster's nodes have to agree better than that.
	ReportTimeout = 3 * ReportInterval
	// reportRetention is how long the report of a gateway that is gone is kept, for whoever looks for what happened.
	reportRetention = 10 * time.Minute
)

// Report is what one of an organization's gateways reports, under a key of its own in ReportConfigMap. L is
// v1alpha1.LineReport to the agent, so that what else a gateway has written of its lines never leaves the cluster.
type Report[L any] struct {
	// Time at which the gateway wrote it.
	Time time.Time `json:"time"`
	// Lines sorted by name.
	Lines []L `json:"lines"`
}

// ReportKey is the key in ReportConfigMap under which a gateway's pod reports.
func ReportKey(pod string) string { return pod + reportSuffix }

const reportSuffix = ".json"

// MergedReports is what the reports of all gateways say together.
type MergedReports struct {
	// Lines sorted by name; nil if no report counts.
	Lines []v1alpha1.LineReport
	// Expires is when the first of the reports that count ceases to, unless its gateway reports again; zero if none counts.
	Expires time.Time
	// Obsolete are the keys to remove: of gateways that have not reported for long. Sorted.
	Obsolete []string
}

// MergeReports merges the reports in ReportConfigMap, by key. A report counts for ReportTimeout; those of pods that are
// gone are left out thereafter. It fails if no report counts and one cannot be read.
//
// A line is up if any of the gateways says so: there is a way to the far member, and the gateways that do not see it take
// another line if there is one. It is down if one says so and none that it is up: a gateway that has just started does not
// make it Unknown. It has the reason Full if any gateway is at its limit, and is active if it carries any gateway's traffic.
func MergeReports(data map[string]string, now time.Time) (MergedReports, error) {
	var merged MergedReports
	var invalid error
	var fresh []keyedReport
	for _, key := range slices.Sorted(maps.Keys(data)) {
		var r Report[v1alpha1.LineReport]
		if err := json.Unmarshal([]byte(data[key]), &r); err != nil {
			invalid = fmt.Errorf("read the report of gateway %s: %w: it is written by the gateway and not to be edited; delete the key %s, and a gateway that runs writes it anew",
				strings.TrimSuffix(key, reportSuffix), err, key)
			continue
		}
		switch age := now.Sub(r.Time); {
		case age > reportRetention:
			merged.Obsolete = append(merged.Obsolete, key)
		case age.Abs() <= ReportTimeout:
			fresh = append(fresh, keyedReport{key, r})
			if expires := r.Time.Add(ReportTimeout); merged.Expires.IsZero() || expires.Before(merged.Expires) {
				merged.Expires = expires
			}
		}
	}
	if len(fresh) == 0 {
		return merged, invalid
	}
	merged.Lines = mergeLines(fresh)
	return merged, nil
}

type keyedReport struct {
	key string
	Report[v1alpha1.LineReport]
}

// mergeLines merges reports that count. Where they name different far members of a line, whose routes have just
// changed, the newest is right.
func mergeLines(reports []keyedReport) []v1alpha1.LineReport {
	slices.SortFunc(reports, func(a, b keyedReport) int {
		return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.key, b.key))
	})
	byName := map[string]v1alpha1.LineReport{}
	for _, r := range reports {
		for _, line := range r.Lines {
			known, ok := byName[line.Name]
			switch {
			case !ok:
				byName[line.Name] = line
			case known.Member == line.Member:
				byName[line.Name] = mergeLine(known, line)
			}
		}
	}
	lines := make([]v1alpha1.LineReport, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		lines = append(lines, byName[name])
	}
	return lines
}

// mergeLine merges what two gateways say of a line, whichever comes first.
func mergeLine(a, b v1alpha1.LineReport) v1alpha1.LineReport {
	if StateRank(b.State) > StateRank(a.State) {
		a, b = b, a
	}
	merged := a
	merged.Active = a.Active || b.Active
	if StateRank(b.Reverse) > StateRank(a.Reverse) {
		merged.Reverse = b.Reverse
	}
	if a.State != b.State {
		return merged
	}
	if reasonRank(b.Reason) > reasonRank(a.Reason) {
		merged.Reason = b.Reason
	}
	if a.RTTMicroseconds == 0 || b.RTTMicroseconds > 0 && b.RTTMicroseconds < a.RTTMicroseconds {
		merged.RTTMicroseconds = b.RTTMicroseconds
	}
	// Up since the first gateway has seen it so, but down since the last one has.
	if later := b.Since.After(a.Since.Time); !b.Since.Equal(&a.Since) && later == (a.State == v1alpha1.LineDown) {
		merged.Since = b.Since
	}
	return merged
}

// StateRank orders states: one gateway, or one line, that is up counts before one that is down, and that before nothing known.
func StateRank(s v1alpha1.LineState) int {
	switch s {
	case v1alpha1.LineUp:
		return 2
	case v1alpha1.LineDown:
		return 1
	}
	return 0
}

// reasonRank orders reasons by how much they help.
func reasonRank(r v1alpha1.LineReason) int {
	return slices.Index([]v1alpha1.LineReason{
		"", v1alpha1.LineNotProbed, v1alpha1.LineUnreachable, v1alpha1.LineNotAuthenticated, v1alpha1.LineNotAllowed, v1alpha1.LineFull,
	}, r)
}
