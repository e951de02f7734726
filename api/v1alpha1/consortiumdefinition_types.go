package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ConsortiumDefinitionSpec is a Definition as it is stored. Members read it, and check that the content has the digest that
// their plans name.
type ConsortiumDefinitionSpec struct {
	// Digest is the hex SHA-256 of Content.
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{64}$`
	// +kubebuilder:validation:MaxLength=64
	Digest string `json:"digest"`
	// Content is the Definition in JSON, byte for byte what Digest is of. It is a text, so that no API server prunes or defaults
	// anything in it.
	// +kubebuilder:validation:MaxLength=1048576
	Content string `json:"content"`
}

// ConsortiumDefinition is what all Members of one Consortium share: its ledger, its Members with their roots and nodes, the
// channels that concern them all, and the contracts on these. It is in the Consortium's namespace on the host, hanse-shared-NAME,
// and has the Consortium's name; the host writes it, the Members' agents read it. It exists where the plans would be large with
// it: they refer to it by digest. There is one object for each Consortium, and not one for each digest, so that none has to be
// collected: a plan whose digest it does not have any more is about to be updated.
// +kubebuilder:object:root=true
// +kubebuilder:resource:shortName=cdef,categories=hanse
// +kubebuilder:printcolumn:name="Digest",type=string,JSONPath=`.spec.digest`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ConsortiumDefinition struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ConsortiumDefinitionSpec `json:"spec"`
}

// ConsortiumDefinitionList is a list of ConsortiumDefinitions.
// +kubebuilder:object:root=true
type ConsortiumDefinitionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ConsortiumDefinition `json:"items"`
}
