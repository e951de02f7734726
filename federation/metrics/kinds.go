package metrics

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/conditions"
)

// Kinds are those that are declared on the host.
func Kinds() []conditions.Kind {
	return []conditions.Kind{
		kind("Member", func() client.ObjectList { return &v1alpha1.MemberList{} }, func(o *v1alpha1.Member) []metav1.Condition { return o.Status.Conditions }),
		kind("Line", func() client.ObjectList { return &v1alpha1.LineList{} }, func(o *v1alpha1.Line) []metav1.Condition { return o.Status.Conditions }),
		kind("Consortium", func() client.ObjectList { return &v1alpha1.ConsortiumList{} }, func(o *v1alpha1.Consortium) []metav1.Condition { return o.Status.Conditions }),
		kind("Channel", func() client.ObjectList { return &v1alpha1.ChannelList{} }, func(o *v1alpha1.Channel) []metav1.Condition { return o.Status.Conditions }),
		kind("Contract", func() client.ObjectList { return &v1alpha1.ContractList{} }, func(o *v1alpha1.Contract) []metav1.Condition { return o.Status.Conditions }),
	}
}

func kind[T client.Object](name string, list func() client.ObjectList, of func(T) []metav1.Condition) conditions.Kind {
	return conditions.Kind{Name: name, List: list, Of: func(o client.Object) []metav1.Condition {
		object, ok := o.(T)
		if !ok {
			return nil
		}
		return of(object)
	}}
}
