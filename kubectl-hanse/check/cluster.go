package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// customResources says which CRDs are missing, or are not those of this version. Helm installs CRDs and never upgrades them.
func customResources(f Facts) []Result {
	var results []Result
	install := "kubectl apply --server-side --force-conflicts -f charts/%s/crds, of the chart's version: helm does not upgrade CRDs"
	chart := "federation"
	if !f.Host {
		chart = "member-agent"
	}
	install = fmt.Sprintf(install, chart)
	versions := map[string]bool{}
	for _, d := range f.Deployments {
		if v := d.Labels["app.kubernetes.io/version"]; d.Namespace == f.Namespace && v != "" && slices.Contains([]string{"federation", "member-agent"}, d.Name) {
			versions[v] = true
		}
	}
	for _, c := range f.CRDs {
		switch {
		case !c.There:
			results = append(results, failed(install, "there is no CRD %s", c.Name))
		case !c.Established:
			results = append(results, failed("kubectl describe crd "+c.Name, "CRD %s is not established", c.Name))
		case slices.ContainsFunc(c.Stored, func(v string) bool { return v != v1alpha1.GroupVersion.Version }):
			results = append(results, failed("migrate what is stored (kubectl get "+c.Name+" -A -o yaml | kubectl replace -f -), then take the old version out of the CRD's status.storedVersions",
				"CRD %s has objects stored as %s, and this version reads %s", c.Name, list(c.Stored), v1alpha1.GroupVersion.Version))
		case c.Differs != "" && len(versions) == 1 && versions[f.Plugin]:
			results = append(results, failed(install, "CRD %s is not that of version %s: it differs at %s", c.Name, f.Plugin, c.Differs))
		case c.Differs != "":
			results = append(results, skipped("use a plugin of the components' version to have it told", "CRD %s differs from that of this plugin's version, %s, at %s", c.Name, f.Plugin, c.Differs))
		}
	}
	if len(results) == 0 {
		return []Result{ok("%d CRDs are served, stored as %s, with the schemas of version %s", len(f.CRDs), v1alpha1.GroupVersion.Version, f.Plugin)}
	}
	return results
}

// policies says which namespaces of consortia have no NetworkPolicies, and which namespaces that the chart lets in there
// are not.
func policies(f Facts) []Result {
	var results []Result
	enabled := true
	for _, d := range f.Deployments {
		if d.Namespace != f.Namespace || d.Name != "member-agent" {
			continue
		}
		for _, c := range d.Spec.Template.Spec.Containers {
			for _, argument := range c.Args {
				flag, value, _ := strings.Cut(argument, "=")
				switch flag {
				case "--network-policy":
					enabled = value != "false"
				case "--application-namespace", "--monitoring-namespace":
					if !f.hasNamespace(value) {
						results = append(results, warning("correct networkPolicy."+strings.TrimPrefix(flag, "--")+"s in the chart's values, or make the namespace", "the chart lets in namespace %s (%s), which there is not", value, flag))
					}
				}
			}
		}
	}
	if !enabled {
		return append(results, skipped("networkPolicy.enabled=true in the chart's values", "the chart makes no NetworkPolicies: every pod of this cluster reaches the nodes"))
	}
	count := 0
	for _, n := range f.Namespaces {
		if n.Labels[v1alpha1.LabelConsortium] == "" || n.DeletionTimestamp != nil || !f.hasNodes(n.Name) {
			continue
		}
		count++
		if !slices.ContainsFunc(f.namespacesWithPolicies(), func(name string) bool { return name == n.Name }) {
			results = append(results, failed("kubectl -n "+f.Namespace+" logs deployment/member-agent says why the agent does not write them", "namespace %s has nodes and no NetworkPolicy", n.Name))
		}
	}
	if len(results) == 0 {
		return []Result{ok("%d namespaces of consortia have them; whether they are enforced is the network plugin's", count)}
	}
	return results
}

func (f Facts) hasNamespace(name string) bool {
	for _, n := range f.Namespaces {
		if n.Name == name {
			return true
		}
	}
	return false
}

func (f Facts) hasNodes(namespace string) bool {
	for _, s := range f.StatefulSets {
		if s.Namespace == namespace {
			return true
		}
	}
	return false
}

func (f Facts) namespacesWithPolicies() []string {
	var names []string
	for _, p := range f.NetworkPolicies {
		names = append(names, p.Namespace)
	}
	return names
}
