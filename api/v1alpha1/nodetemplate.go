package v1alpha1

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Template is what the node's pod is to be started with.
func (n *PlanNode) Template() NodeTemplate {
	return NodeTemplate{Image: n.Image, StateDatabaseImage: n.StateDatabaseImage, Resources: n.Resources, LogLevel: n.LogLevel}
}

// Settings is the digest of the resources and the log level, by which an agent says which ones a node runs with; empty if
// none are declared.
func (t NodeTemplate) Settings() string {
	t.Image, t.StateDatabaseImage = "", ""
	if t.Resources == nil && t.LogLevel == "" {
		return ""
	}
	text, err := json.Marshal(t)
	if err != nil {
		panic("v1alpha1: settings that cannot be encoded: " + err.Error()) // plain data
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Equal is whether a node need not be restarted to go from one to the other.
func (t NodeTemplate) Equal(o NodeTemplate) bool {
	return t.SameImages(o) && t.Settings() == o.Settings()
}

// SameImages is whether both have the same images.
func (t NodeTemplate) SameImages(o NodeTemplate) bool {
	return t.Image == o.Image && t.StateDatabaseImage == o.StateDatabaseImage
}

// Difference is what differs in another template, in words: "image peer:2, log level debug".
func (t NodeTemplate) Difference(to NodeTemplate) string {
	var parts []string
	if t.Image != to.Image {
		parts = append(parts, "image "+to.Image)
	}
	if t.StateDatabaseImage != to.StateDatabaseImage {
		parts = append(parts, "image "+to.StateDatabaseImage)
	}
	if (NodeTemplate{Resources: t.Resources}).Settings() != (NodeTemplate{Resources: to.Resources}).Settings() {
		parts = append(parts, describeResources(to.Resources))
	}
	if t.LogLevel != to.LogLevel {
		parts = append(parts, "log level "+string(cmp.Or(to.LogLevel, "as by default")))
	}
	return strings.Join(parts, ", ")
}

func describeResources(r *corev1.ResourceRequirements) string {
	if r == nil {
		return "the default resources"
	}
	var parts []string
	for _, list := range []struct {
		noun    string
		amounts corev1.ResourceList
	}{{"request", r.Requests}, {"limit", r.Limits}} {
		for name, amount := range list.amounts {
			parts = append(parts, string(name)+" "+list.noun+" "+amount.String())
		}
	}
	slices.Sort(parts)
	return cmp.Or(strings.Join(parts, ", "), "no requests and limits")
}
