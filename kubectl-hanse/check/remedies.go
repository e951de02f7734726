package check

import (
	"cmp"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

const troubleshooting = "docs/troubleshooting.md"

// remedies are what to do about the reasons of conditions, in short; docs/troubleshooting.md has all of it.
var remedies = map[string]string{
	v1alpha1.ReasonNotFound:             "declare what the message names in the same namespace, or correct the name",
	v1alpha1.ReasonInvalid:              "correct the specification as the message says",
	v1alpha1.ReasonUndecodable:          "kubectl edit the object, and correct the field that the message names",
	v1alpha1.ReasonNameTaken:            "use another name, as the message says",
	v1alpha1.ReasonAddressTaken:         "delete one of the two lines, or correct spec.ends",
	v1alpha1.ReasonPlanFull:             "declare fewer channels and contracts for that member",
	v1alpha1.ReasonFailed:               "the message has the reason; it is tried again by itself once that is mended",
	v1alpha1.ReasonPlanNotWritten:       "mend what the message says the API server refuses: a quota, an admission webhook, the size",
	v1alpha1.ReasonRolloutFailed:        "declare an image that works, or the old one; the other nodes were not changed",
	v1alpha1.ReasonInvitationExpired:    "kubectl hanse invite NAME",
	v1alpha1.ReasonLeaseExpired:         "in its own cluster: kubectl hanse check",
	v1alpha1.ReasonCredentialShared:     "kubectl hanse invite NAME --replace on the host, and find out who could read Secret hanse-host-credential",
	v1alpha1.ReasonRootChanged:          "ask that organization, not the host, whether its root is new; then delete the pin: docs/tasks/renew.md",
	v1alpha1.ReasonWrongMember:          "the host's plans have been tampered with: speak with its operators",
	v1alpha1.ReasonConsortiumDefinition: "on the host: kubectl get consortiumdefinition -A, and the log of the federation controller",
	v1alpha1.ReasonMSPIDDiffers:         "member.mspID of the organization's chart and spec.mspID of the Member have to be the same",
	v1alpha1.ReasonLimitExceeded:        "raise the limit in the organization's chart (policy.limits), or ask for less",
	v1alpha1.ReasonCertManagerMissing:   certManagerInstall,
	v1alpha1.ReasonStorageClassMissing:  "make that StorageClass, or a default one, or name another: kubectl get storageclass",
	v1alpha1.ReasonVolumeNotExpandable:  "allow expansion in the StorageClass as the message says, or declare the old size again; the node goes on meanwhile",
	v1alpha1.ReasonImagePull:            "correct the image's name, or give the cluster a pull secret for its registry",
	v1alpha1.ReasonImageNotAllowed:      "allow it in the organization's chart (policy.nodeImages, policy.contractImages), or declare another image",
	v1alpha1.ReasonRejected:             "let in what the message says this cluster refuses (a quota, an admission policy), or change it in the specification",
	v1alpha1.ReasonSecretMissing:        "make the Secret with the commands in the message",
	v1alpha1.ReasonNameNotAllowed:       "allow the name in the organization's chart (policy.extraSANs), or take it out of the Consortium",
	v1alpha1.ReasonDigestRequired:       "name the image by digest in the Contract",
	v1alpha1.ReasonDefinitionDiffers:    "change the Contract to replace what was committed, or declare the same to adopt it",
	v1alpha1.ReasonNotApproved:          "somebody in that organization runs the command in the message",
	v1alpha1.ReasonGenesisRefused:       "the first block contradicts the plan: compare what the message names with the Channel",
	v1alpha1.ReasonGenesisDiffers:       "members hold different first blocks: find out whose is another one before anybody joins",
	v1alpha1.ReasonLedgerDiffers:        "a node has another ledger of that name: remove its volume if it is an old one",
	v1alpha1.ReasonChannelDiffers:       "somebody has changed the channel outside of Hanse: declare what is in force, or change it back",
	v1alpha1.ReasonLineDown:             "open TCP port 7443 between the two addresses; is the far gateway running? kubectl get lines",
	v1alpha1.ReasonUnreachable:          "no gateway answers there: open TCP port 7443 between the two addresses; does the far gateway run?",
	"NotAuthenticated":                  "what answers at that address is not the member's gateway: correct the Line's address, or ask that organization",
	v1alpha1.ReasonLineNotAllowed:       "allow the address in the organization's chart (gateway.lines)",
	v1alpha1.ReasonLineFull:             "find out who opens so many connections, or raise gateway.limits in the chart",
	v1alpha1.ReasonWaiting:              "nothing here: the message says who has to act",
	v1alpha1.ReasonProgressing:          "nothing, unless it stays so",
	v1alpha1.ReasonRetiring:             "nothing, unless it stays so: docs/tasks/remove.md",
}

// remedy is what to do about a reason, and where more of it stands.
func remedy(reason string) string {
	return cmp.Or(remedies[reason], "as the message says") + " (" + troubleshooting + ")"
}
