package check

import (
	"fmt"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// renewalLate is how long after its time a certificate may still be the old one: cert-manager retries within an hour.
const renewalLate = 2 * time.Hour

// certificatesLast says which certificates are not issued, end, or ought to have been renewed.
func certificatesLast(f Facts) []Result {
	var results []Result
	var next time.Time
	for _, c := range f.Certificates {
		name, remedy := c.Namespace+"/"+c.Name, fmt.Sprintf("kubectl -n %s describe certificate %s; does cert-manager run?", c.Namespace, c.Name)
		switch {
		case !c.NotAfter.IsZero() && f.Now.After(c.NotAfter):
			results = append(results, failed(remedy, "certificate %s ended at %s", name, c.NotAfter.Format(time.RFC3339)))
		case !c.Ready:
			results = append(results, failed(remedy, "certificate %s is not ready: %s", name, c.Message))
		case !c.RenewsAt.IsZero() && f.Now.After(c.RenewsAt.Add(renewalLate)):
			results = append(results, warning(remedy, "certificate %s was to be renewed at %s, and ends at %s", name, c.RenewsAt.Format(time.RFC3339), c.NotAfter.Format(time.RFC3339)))
		}
		if !c.NotAfter.IsZero() && (next.IsZero() || c.NotAfter.Before(next)) {
			next = c.NotAfter
		}
	}
	if len(results) == 0 {
		return []Result{ok("%d certificates are ready; the first ends in %s", len(f.Certificates), remaining(f.Now, next))}
	}
	return results
}

// remaining is a time left as people say it.
func remaining(now, end time.Time) string {
	left := end.Sub(now)
	if left > 48*time.Hour {
		return fmt.Sprintf("%d days", int(left.Hours()/24))
	}
	return left.Round(time.Minute).String()
}

// credentialRest is what has to be left of a credential: an agent renews at 70 % of its life, and one of an hour lives long
// enough to be looked at.
const credentialRest = 24 * time.Hour

// credentialLasts says whether the agent can still speak to the host.
func credentialLasts(f Facts) []Result {
	again := "have the host's operators run kubectl hanse invite NAME --replace, and run what it prints here"
	switch {
	case f.Credential == nil:
		return []Result{failed("kubectl -n "+f.Namespace+" get events: Registered, Refused or NotInvited; "+again, "the agent has no credential on the host")}
	case f.Now.After(*f.Credential):
		return []Result{failed(again, "the agent's credential on the host ended at %s", f.Credential.Format(time.RFC3339))}
	case f.Credential.Sub(f.Now) < credentialRest:
		return []Result{warning("kubectl -n "+f.Namespace+" logs deployment/member-agent says why it is not renewed; credentials of a short agent.credentialLifetime always look so",
			"the agent's credential on the host ends in %s", remaining(f.Now, *f.Credential))}
	}
	return []Result{ok("the agent's credential on the host ends in %s", remaining(f.Now, *f.Credential))}
}

// credentialsIssued says, on the host, whose credential must have ended or will soon: the host knows when it issued the last.
func credentialsIssued(f Facts) []Result {
	var results []Result
	for _, m := range f.Members {
		if m.Status.Registration == nil || m.Status.Registration.LastIssued.IsZero() {
			continue
		}
		end := m.Status.Registration.LastIssued.Add(v1alpha1.MaxCredentialSeconds * time.Second)
		switch {
		case f.Now.After(end):
			results = append(results, failed("kubectl hanse invite "+m.Name+" --replace", "%s's credential ended at %s at the latest: its agent cannot come back by itself", m.Name, end.Format(time.RFC3339)))
		case end.Sub(f.Now) < credentialRest:
			results = append(results, warning("find out why its agent does not renew it; after that: kubectl hanse invite "+m.Name+" --replace", "%s's credential ends in %s at the latest", m.Name, remaining(f.Now, end)))
		}
	}
	if len(results) == 0 {
		return []Result{ok("each is good for a day or more, or as long as its agent's chart says")}
	}
	return results
}
