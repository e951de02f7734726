package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupName is the API group of every kind of Hanse.
const GroupName = "federation.hanse.io"

var (
	// GroupVersion is the group and version of the kinds in this package.
	GroupVersion = schema.GroupVersion{Group: GroupName, Version: "v1alpha1"}

	// SchemeBuilder registers the kinds of this package with a runtime.Scheme.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme adds the kinds of this package to a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&Member{}, &MemberList{},
		&Line{}, &LineList{},
		&Consortium{}, &ConsortiumList{},
		&Channel{}, &ChannelList{},
		&Contract{}, &ContractList{},
		&MemberPlan{}, &MemberPlanList{},
		&Statement{}, &StatementList{},
		&ConsortiumDefinition{}, &ConsortiumDefinitionList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
