package fabric_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric"
)

func planOfOrg1(t *testing.T) *v1alpha1.MemberPlan {
	t.Helper()
	plan := threeMembers(t)[0].Plan
	majority := v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseMajority}
	plan.Spec.Channels = []v1alpha1.PlanChannel{goods, {Name: "others", Members: []string{"org2", "org3"}}}
	plan.Spec.Contracts = []v1alpha1.PlanContract{
		{Name: "notary", Channel: "goods", Image: "notary:1", Version: "1.0", Sequence: 1, Endorsement: majority},
		{Name: "notary", Channel: "others", Image: "notary:1", Version: "1.0", Sequence: 1, Endorsement: majority},
	}
	plan.Spec.Nodes[1].StateDatabase = v1alpha1.StateCouchDB
	return plan
}

func workloadsOf(t *testing.T, plan *v1alpha1.MemberPlan) map[string]ledger.Workload {
	t.Helper()
	workloads, err := fabric.New(fabric.Options{}).Workloads(plan, nil)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]ledger.Workload{}
	for _, workload := range workloads {
		byName[workload.Name] = workload
	}
	return byName
}

func TestWorkloadsAreTheMembersOwn(t *testing.T) {
	plan := planOfOrg1(t)
	workloads := workloadsOf(t, plan)
	for _, name := range []string{"orderer0-org1", "peer0-org1", plan.Spec.Contracts[0].WorkloadName()} {
		if _, found := workloads[name]; !found {
			t.Errorf("there is no workload %s", name)
		}
	}
	if len(workloads) != 3 {
		t.Errorf("there are %d workloads: a contract of a channel without this member is none of its business", len(workloads))
	}
}

// TestPodsAreRestricted holds every container to the restricted pod security standard, and to a read-only root.
func TestPodsAreRestricted(t *testing.T) {
	for name, workload := range workloadsOf(t, planOfOrg1(t)) {
		pod := workload.Pod
		if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken || *pod.EnableServiceLinks {
			t.Errorf("%s gets a token or service variables", name)
		}
		if security := pod.SecurityContext; !*security.RunAsNonRoot || *security.RunAsUser == 0 ||
			security.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s: %+v", name, security)
		}
		for _, container := range slices.Concat(pod.InitContainers, pod.Containers) {
			security := container.SecurityContext
			if *security.AllowPrivilegeEscalation || !*security.ReadOnlyRootFilesystem || !slices.Contains(security.Capabilities.Drop, "ALL") {
				t.Errorf("%s/%s: %+v", name, container.Name, security)
			}
			if len(container.Resources.Requests) == 0 {
				t.Errorf("%s/%s requests nothing", name, container.Name)
			}
		}
	}
}

// TestPathsAreMounted follows every path in the environment to a volume, and every volume to something that exists.
func TestPathsAreMounted(t *testing.T) {
	path := regexp.MustCompile(`/(etc|var)/[a-z/.]+`)
	for name, workload := range workloadsOf(t, planOfOrg1(t)) {
		container := workload.Pod.Containers[0]
		for _, variable := range container.Env {
			for _, found := range path.FindAllString(variable.Value, -1) {
				if !slices.ContainsFunc(container.VolumeMounts, func(m corev1.VolumeMount) bool { return strings.HasPrefix(found, m.MountPath) }) {
					t.Errorf("%s: %s=%s is on no volume", name, variable.Name, variable.Value)
				}
			}
		}
		for _, mount := range container.VolumeMounts {
			known := mount.Name == ledger.DataVolume || mount.Name == ledger.FilesVolume ||
				slices.ContainsFunc(workload.Pod.Volumes, func(v corev1.Volume) bool { return v.Name == mount.Name })
			if !known {
				t.Errorf("%s mounts %s, which there is not", name, mount.Name)
			}
		}
	}
}

// TestPackageIDs holds that another image has another package, and an address of its own; and that what only is approved
// differently has not.
func TestPackageIDs(t *testing.T) {
	idOf := func(plan *v1alpha1.MemberPlan) string {
		for _, variable := range workloadsOf(t, plan)[plan.Spec.Contracts[0].WorkloadName()].Pod.Containers[0].Env {
			if variable.Name == "CHAINCODE_ID" {
				return variable.Value
			}
		}
		return ""
	}
	declared := idOf(planOfOrg1(t))
	if !strings.HasPrefix(declared, planOfOrg1(t).Spec.Contracts[0].WorkloadName()+":") {
		t.Errorf("the label of %s is not the workload's name", declared)
	}
	for _, test := range []struct {
		name    string
		change  func(contract *v1alpha1.PlanContract)
		another bool
	}{
		{"as declared", func(*v1alpha1.PlanContract) {}, false},
		{"another image", func(c *v1alpha1.PlanContract) { c.Image = "notary:2" }, true},
		{"the same tag by digest", func(c *v1alpha1.PlanContract) { c.Image += "@sha256:" + strings.Repeat("ab", 32) }, true},
		{"another version, which the definition holds", func(c *v1alpha1.PlanContract) { c.Version, c.Sequence = "2.0", 2 }, false},
		{"another policy", func(c *v1alpha1.PlanContract) { c.Endorsement.Rule = v1alpha1.EndorseAll }, false},
		{"another environment", func(c *v1alpha1.PlanContract) {
			value := "v"
			c.Env = []v1alpha1.ContractEnvVar{{Name: "A", Value: &value}}
		}, true},
		{"without TLS", func(c *v1alpha1.PlanContract) { c.TLS = !c.TLS }, true},
		{"more replicas", func(c *v1alpha1.PlanContract) { c.Replicas = 3 }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			plan := planOfOrg1(t)
			test.change(&plan.Spec.Contracts[0])
			if id := idOf(plan); (id != declared) != test.another {
				t.Errorf("the package ID is %s, and was %s", id, declared)
			}
		})
	}
}

func TestIdentities(t *testing.T) {
	plan := planOfOrg1(t)
	plan.Spec.Nodes[0].ExtraSANs = []string{"orderer.example.com", "192.0.2.7", "login.bank.example", "198.51.100.1"}
	plan.Spec.Contracts[0].TLS = true
	driver := fabric.New(fabric.Options{AllowsName: func(name string) bool {
		return slices.Contains([]string{"orderer.example.com", "192.0.2.7"}, name)
	}})
	byName := map[string]ledger.Identity{}
	for _, identity := range driver.Identities(plan) {
		byName[identity.Name] = identity
	}
	for name, unit := range map[string]string{
		"orderer0-org1-msp": "orderer", "peer0-org1-msp": "peer", "admin-org1": "admin", "user-org1": "client",
	} {
		if units := byName[name].OrganizationalUnits; !slices.Equal(units, []string{unit}) || byName[name].Authority != ledger.IdentityAuthority {
			t.Errorf("%s: %+v", name, byName[name])
		}
	}
	orderer := byName["orderer0-org1-tls"]
	for _, name := range []string{"orderer0-org1.hanse-trade", "orderer0-org1", "orderer0-org1.hanse-trade.svc.cluster.local", "orderer.example.com"} {
		if !slices.Contains(orderer.DNSNames, name) {
			t.Errorf("%v lacks %s", orderer.DNSNames, name)
		}
	}
	if !slices.Equal(orderer.IPAddresses, []string{"192.0.2.7"}) || !orderer.Publish || !orderer.Server || !orderer.Client {
		t.Errorf("%+v", orderer)
	}
	if slices.Contains(orderer.DNSNames, "login.bank.example") {
		t.Error("a name of somebody else's was certified because the plan asked for it")
	}
	name := plan.Spec.Contracts[0].WorkloadName()
	contract := byName[name+".tls"]
	if !contract.Server || contract.Client || !contract.Optional || !slices.Contains(contract.DNSNames, name+".hanse-trade") {
		t.Errorf("%+v", contract)
	}
	workloads, err := driver.Workloads(plan, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range workloads {
		says := strings.Contains(w.NotAllowed, "login.bank.example") && strings.Contains(w.NotAllowed, "198.51.100.1") && !strings.Contains(w.NotAllowed, "orderer.example.com")
		if says != (w.Name == "orderer0-org1") {
			t.Errorf("%s says %q", w.Name, w.NotAllowed)
		}
	}
	if byName["peer0-org1-tls"].Publish {
		t.Error("a peer's certificate is nobody else's business")
	}
	if admin := byName["admin-org1-tls"]; !admin.Client || admin.Server || admin.Authority != ledger.OperatorAuthority {
		t.Errorf("%+v", admin)
	}
	for name, identity := range byName {
		if identity.Authority == ledger.OperatorAuthority && name != "admin-org1-tls" {
			t.Errorf("%s comes from the authority that opens the orderers' administration", name)
		}
	}
}

// A contract finds what its shim expects, whatever a plan would like it to find.
func TestContractEnvironment(t *testing.T) {
	plan := planOfOrg1(t)
	mine, evil := "v $(HOME) $5", "evilMSP"
	plan.Spec.Contracts[0].TLS = true
	plan.Spec.Contracts[0].Env = []v1alpha1.ContractEnvVar{
		{Name: "MINE", Value: &mine}, {Name: "CORE_PEER_LOCALMSPID", Value: &evil}, {Name: "CHAINCODE_TLS_DISABLED", Value: &evil},
		{Name: "TOKEN", SecretKeyRef: &v1alpha1.ContractSecretKeyRef{Name: "api", Key: "token"}},
	}
	workload := workloadsOf(t, plan)[plan.Spec.Contracts[0].WorkloadName()]
	container := workload.Pod.Containers[0]
	values := map[string]corev1.EnvVar{}
	for _, v := range container.Env {
		if _, twice := values[v.Name]; twice {
			t.Errorf("%s is there twice", v.Name)
		}
		values[v.Name] = v
	}
	for name, want := range map[string]string{
		"CORE_PEER_LOCALMSPID": "org1MSP", "CORE_PEER_TLS_ENABLED": "true", "CHAINCODE_TLS_DISABLED": "false",
		"CHAINCODE_SERVER_ADDRESS": "0.0.0.0:9999", "CHAINCODE_TLS_KEY": "/etc/hanse/tls/tls.key",
		// Kubernetes makes one dollar of two.
		"MINE": "v $$(HOME) $$5",
	} {
		if values[name].Value != want {
			t.Errorf("%s is %q, not %q", name, values[name].Value, want)
		}
	}
	if ref := values["TOKEN"].ValueFrom; ref == nil || ref.SecretKeyRef.Name != "api" || ref.SecretKeyRef.Key != "token" {
		t.Errorf("TOKEN comes from %+v", ref)
	}
	if !slices.Equal(workload.Secrets, []string{workload.Name + ".tls"}) {
		t.Errorf("it waits for %v", workload.Secrets)
	}
	plan.Spec.Contracts[0].TLS = false
	plain := workloadsOf(t, plan)[plan.Spec.Contracts[0].WorkloadName()]
	if len(plain.Secrets) != 0 || plain.Pod.Containers[0].Env[0].Name != "MINE" {
		t.Errorf("without TLS: %+v", plain)
	}
}

// What can be written to a node, and what tells more than its health, asks for a certificate.
func TestOperationsAskForACertificate(t *testing.T) {
	for name, want := range map[string]map[string]string{
		"peer0-org1":    {"CORE_OPERATIONS_TLS_ENABLED": "true", "CORE_OPERATIONS_TLS_CLIENTROOTCAS_FILES": "/etc/hanse/tls/ca.crt"},
		"orderer0-org1": {"ORDERER_OPERATIONS_TLS_ENABLED": "true", "ORDERER_OPERATIONS_TLS_CLIENTROOTCAS": "[/etc/hanse/tls/ca.crt]"},
	} {
		container := workloadsOf(t, planOfOrg1(t))[name].Pod.Containers[0]
		for variable, value := range want {
			if !slices.Contains(container.Env, corev1.EnvVar{Name: variable, Value: value}) {
				t.Errorf("%s has no %s=%s", name, variable, value)
			}
		}
		if container.ReadinessProbe.HTTPGet.Scheme != corev1.URISchemeHTTPS {
			t.Errorf("%s is probed in plain text, which it does not serve", name)
		}
	}
}

// TestSettingsReachTheContainer: what docs/settings.md says is changed by a restart is in the pod.
func TestSettingsReachTheContainer(t *testing.T) {
	plan := planOfOrg1(t)
	limits := corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}
	for i := range plan.Spec.Nodes {
		if level := loggingSpec(workloadsOf(t, plan)[plan.Spec.Nodes[i].Name]); level != "info" {
			t.Errorf("%s logs %q by default", plan.Spec.Nodes[i].Name, level)
		}
		plan.Spec.Nodes[i].LogLevel, plan.Spec.Nodes[i].Resources = "info:gossip=debug", &corev1.ResourceRequirements{Limits: limits}
		workload := workloadsOf(t, plan)[plan.Spec.Nodes[i].Name]
		if level := loggingSpec(workload); level != "info:gossip=debug" {
			t.Errorf("%s logs %q", workload.Name, level)
		}
		if got := workload.Pod.Containers[0].Resources.Limits; !got.Memory().Equal(*limits.Memory()) {
			t.Errorf("%s: limits %v", workload.Name, got)
		}
	}
}

func loggingSpec(w ledger.Workload) string {
	env := w.Pod.Containers[0].Env
	return env[slices.IndexFunc(env, func(v corev1.EnvVar) bool { return v.Name == "FABRIC_LOGGING_SPEC" })].Value
}
