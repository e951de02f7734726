package nodes

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

const (
	// LabelRole is on everything that belongs to a node: peer or orderer.
	LabelRole = v1alpha1.GroupName + "/role"
	// annotationContent changes with the files and the certificates that a pod mounts, so that it is restarted.
	annotationContent = v1alpha1.GroupName + "/content"
	// annotationRevision is the hash of the applied workload, by which a change is detected.
	annotationRevision = v1alpha1.GroupName + "/revision"
	// annotationSettings is the digest of the settings that the applied workload has; missing for the defaults.
	annotationSettings = v1alpha1.GroupName + "/settings"
	// annotationChannel distinguishes two contracts of one name on two channels.
	annotationChannel = v1alpha1.GroupName + "/channel"
)

// maxReplicas of a contract, whatever a plan says.
const maxReplicas int32 = 8

var defaultVolumeSize = resource.MustParse("5Gi")

// Set is everything that one workload consists of.
type Set struct {
	Name     string
	Workload ledger.Workload
	// Supporting are the objects that are applied before the workload itself and may change at any time.
	Supporting []client.Object
	// One of the two is set.
	StatefulSet *appsv1.StatefulSet
	Deployment  *appsv1.Deployment
	// Revision of the StatefulSet or Deployment.
	Revision string
}

// Desired builds the objects of one workload. digests are those of the Secrets and of the first blocks that it mounts, by the
// names of the objects that hold them.
func Desired(plan *v1alpha1.MemberPlan, w ledger.Workload, digests map[string]string) Set {
	labels := labelsOf(plan, w)
	set := Set{Name: w.Name, Workload: w}
	meta := func() metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: plan.Spec.Namespace, Name: w.Name, Labels: maps.Clone(labels)}
	}
	if len(w.Files) > 0 {
		set.Supporting = append(set.Supporting, &corev1.ConfigMap{ObjectMeta: meta(), Data: w.Files})
	}
	set.Supporting = append(set.Supporting, &corev1.Service{
		ObjectMeta: meta(),
		Spec: corev1.ServiceSpec{
			Type:     corev1.ServiceTypeClusterIP,
			Selector: selectorOf(w),
			Ports:    w.Ports,
			// Nodes find each other before they are ready: an orderer is not ready until it has found the others.
			PublishNotReadyAddresses: w.Node != nil,
		},
	})
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: maps.Clone(labels), Annotations: map[string]string{annotationContent: content(w, digests)}},
		Spec:       podSpec(w),
	}
	if w.Node != nil {
		set.StatefulSet = statefulSet(meta(), w, template)
		set.Revision = revision(set.StatefulSet.Spec.Template, set.StatefulSet.Spec.PersistentVolumeClaimRetentionPolicy)
		set.StatefulSet.Annotations = map[string]string{annotationRevision: set.Revision}
		if settings := w.Node.Template().Settings(); settings != "" {
			set.StatefulSet.Annotations[annotationSettings] = settings
		}
		return set
	}
	set.Deployment = deployment(meta(), w, template)
	if *set.Deployment.Spec.Replicas > 1 {
		set.Supporting = append(set.Supporting, budget(meta(), selectorOf(w)))
	}
	set.Revision = revision(set.Deployment.Spec)
	set.Deployment.Annotations = map[string]string{annotationRevision: set.Revision, annotationChannel: w.Contract.Channel}
	return set
}

// Budgets keep a drain from taking two nodes of one role at once.
func Budgets(plan *v1alpha1.MemberPlan) []client.Object {
	var budgets []client.Object
	var roles []v1alpha1.NodeRole
	for _, n := range plan.Spec.Nodes {
		roles = append(roles, n.Role)
	}
	slices.Sort(roles)
	for _, role := range slices.Compact(roles) {
		meta := metav1.ObjectMeta{Namespace: plan.Spec.Namespace, Name: roleName(role) + "s", Labels: planLabels(plan)}
		budgets = append(budgets, budget(meta, map[string]string{LabelRole: roleName(role)}))
	}
	return budgets
}

func budget(meta metav1.ObjectMeta, selector map[string]string) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		ObjectMeta: meta,
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: ptr.To(intstr.FromInt32(1)),
			Selector:       &metav1.LabelSelector{MatchLabels: selector},
			// An unhealthy pod must not block the drain of a machine.
			UnhealthyPodEvictionPolicy: ptr.To(policyv1.AlwaysAllow),
		},
	}
}

// Remote builds a Service for every node of the other members, so that its name resolves to the gateway in this cluster.
func Remote(plan *v1alpha1.MemberPlan, gateway string) []client.Object {
	var services []client.Object
	for _, m := range plan.Spec.Members {
		if m.Name == plan.Spec.Member {
			continue
		}
		for _, n := range m.Nodes {
			labels := planLabels(plan)
			labels[v1alpha1.LabelMember], labels[v1alpha1.LabelNode] = m.Name, n.Name
			services = append(services, &corev1.Service{
				ObjectMeta: metav1.ObjectMeta{Namespace: plan.Spec.Namespace, Name: n.Name, Labels: labels},
				Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: gateway},
			})
		}
	}
	return services
}

func statefulSet(meta metav1.ObjectMeta, w ledger.Workload, template corev1.PodTemplateSpec) *appsv1.StatefulSet {
	size := defaultVolumeSize
	if w.Node.Storage.Size != nil {
		size = *w.Node.Storage.Size
	}
	claim := corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: ledger.DataVolume, Labels: maps.Clone(meta.Labels)},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: size}},
		},
	}
	if name := w.Node.Storage.ClassName; name != "" {
		claim.Spec.StorageClassName = ptr.To(name)
	}
	whenDeleted := appsv1.RetainPersistentVolumeClaimRetentionPolicyType
	if w.Node.Storage.ReclaimPolicy == v1alpha1.ReclaimDelete {
		whenDeleted = appsv1.DeletePersistentVolumeClaimRetentionPolicyType
	}
	return &appsv1.StatefulSet{
		ObjectMeta: meta,
		Spec: appsv1.StatefulSetSpec{
			Replicas:             ptr.To(int32(1)),
			ServiceName:          w.Name,
			Selector:             &metav1.LabelSelector{MatchLabels: selectorOf(w)},
			RevisionHistoryLimit: ptr.To(int32(2)),
			// With the default policy a pod that never became ready would block the change that fixes it.
			PodManagementPolicy:  appsv1.ParallelPodManagement,
			Template:             template,
			VolumeClaimTemplates: []corev1.PersistentVolumeClaim{claim},
			PersistentVolumeClaimRetentionPolicy: &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{
				WhenDeleted: whenDeleted,
				WhenScaled:  appsv1.RetainPersistentVolumeClaimRetentionPolicyType,
			},
		},
	}
}

func deployment(meta metav1.ObjectMeta, w ledger.Workload, template corev1.PodTemplateSpec) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: meta,
		Spec: appsv1.DeploymentSpec{
			Replicas:             ptr.To(min(max(w.Contract.Replicas, 1), maxReplicas)),
			Selector:             &metav1.LabelSelector{MatchLabels: selectorOf(w)},
			RevisionHistoryLimit: ptr.To(int32(2)),
			Strategy: appsv1.DeploymentStrategy{
				Type:          appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: ptr.To(intstr.FromInt32(0)), MaxSurge: ptr.To(intstr.FromInt32(1))},
			},
			Template: template,
		},
	}
}

// podSpec is the driver's pod with the volumes that this package adds.
func podSpec(w ledger.Workload) corev1.PodSpec {
	pod := *w.Pod.DeepCopy()
	mounts := func(volume string) bool {
		return slices.ContainsFunc(slices.Concat(pod.InitContainers, pod.Containers), func(c corev1.Container) bool {
			return slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == volume })
		})
	}
	if mounts(ledger.FirstBlocksVolume) {
		pod.Volumes = append(pod.Volumes, firstBlocksVolume(w.FirstBlocks))
	}
	if mounts(ledger.FilesVolume) {
		pod.Volumes = append(pod.Volumes, corev1.Volume{
			Name: ledger.FilesVolume,
			VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: w.Name},
			}},
		})
	}
	if pod.AutomountServiceAccountToken == nil {
		pod.AutomountServiceAccountToken = ptr.To(false)
	}
	return pod
}

// firstBlocksVolume has each channel's pinned first block as a file.
func firstBlocksVolume(channels []string) corev1.Volume {
	v := corev1.Volume{Name: ledger.FirstBlocksVolume}
	v.Projected = &corev1.ProjectedVolumeSource{}
	for _, channel := range channels {
		v.Projected.Sources = append(v.Projected.Sources, corev1.VolumeProjection{ConfigMap: &corev1.ConfigMapProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: ledger.FirstBlockName(channel)},
			Items:                []corev1.KeyToPath{{Key: ledger.FirstBlockKey, Path: channel + ".gz"}},
		}})
	}
	return v
}

func content(w ledger.Workload, digests map[string]string) string {
	used := map[string]string{}
	for _, name := range w.Secrets {
		used[name] = digests[name]
	}
	for _, channel := range w.FirstBlocks {
		used[ledger.FirstBlockName(channel)] = digests[ledger.FirstBlockName(channel)]
	}
	if w.Contract != nil {
		for _, v := range w.Contract.Env {
			if v.SecretKeyRef != nil {
				name := secretVersion + v.SecretKeyRef.Name
				used[name] = digests[name]
			}
		}
	}
	return revision(w.Files, used)
}

// revision hashes whatever JSON makes of the parts; maps come out sorted.
func revision(parts ...any) string {
	h := sha256.New()
	encoder := json.NewEncoder(h)
	for _, part := range parts {
		if err := encoder.Encode(part); err != nil {
			panic("nodes: a Kubernetes object that cannot be encoded: " + err.Error())
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

func planLabels(plan *v1alpha1.MemberPlan) map[string]string {
	return map[string]string{
		v1alpha1.LabelManagedBy:  v1alpha1.ManagedBy,
		v1alpha1.LabelMember:     plan.Spec.Member,
		v1alpha1.LabelConsortium: plan.Spec.Consortium,
	}
}

func labelsOf(plan *v1alpha1.MemberPlan, w ledger.Workload) map[string]string {
	labels := planLabels(plan)
	maps.Copy(labels, selectorOf(w))
	if w.Contract != nil {
		labels[v1alpha1.LabelContract] = w.Contract.Name
	}
	return labels
}

// selectorOf is immutable, like the selector itself.
func selectorOf(w ledger.Workload) map[string]string {
	if w.Node != nil {
		return map[string]string{v1alpha1.LabelNode: w.Name, LabelRole: roleName(w.Node.Role)}
	}
	return map[string]string{LabelRole: roleContract, "app.kubernetes.io/instance": w.Name}
}

func roleName(role v1alpha1.NodeRole) string { return strings.ToLower(string(role)) }
