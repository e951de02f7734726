package kube

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Explain adds to the error of a request what to do about it. action says what was tried: "read Secret x in y". The
// error is nil where err is.
func Explain(action string, err error) error {
	var unreached *url.Error
	switch {
	case err == nil:
		return nil
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%s: %w; ask whoever runs this cluster for that right (kubectl auth can-i shows what you have)", action, err)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("%s: the cluster does not accept the credentials of this kubeconfig context: log in again", action)
	case meta.IsNoMatchError(err):
		return fmt.Errorf("%s: this cluster does not serve %s's kinds: is it the right one? kubectl config current-context", action, v1alpha1.GroupName)
	case errors.As(err, &unreached):
		return fmt.Errorf("%s: the cluster at %s does not answer (%w): is it the right context? kubectl config current-context", action, server(unreached.URL), unreached.Err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: the cluster does not answer in time (%w): is it the right context? kubectl config current-context; --request-timeout gives it more", action, err)
	}
	return fmt.Errorf("%s: %w", action, err)
}

// server is what of a request's URL a person knows from the kubeconfig.
func server(request string) string {
	parsed, err := url.Parse(request)
	if err != nil {
		return request
	}
	return parsed.Scheme + "://" + parsed.Host
}

// IsHost is whether the cluster serves the kinds that are declared on a host.
func IsHost(c client.Client) bool { return serves(c, "Consortium") }

// IsMembers is whether the cluster has been prepared for a member agent.
func IsMembers(c client.Client) bool { return serves(c, "MemberPlan") }

func serves(c client.Client, kind string) bool { return mapping(c, kind) == nil }

// mapping is why a cluster does not serve a kind, or cannot be asked.
func mapping(c client.Client, kind string) error {
	_, err := c.RESTMapper().RESTMapping(schema.GroupKind{Group: v1alpha1.GroupName, Kind: kind})
	return err
}

// OnHost says what is wrong if the cluster is not the host's.
func OnHost(c client.Client, command string) error {
	switch err := mapping(c, "Consortium"); {
	case err == nil:
		return nil
	case !meta.IsNoMatchError(err):
		return Explain("ask the cluster for what it serves", err)
	case IsMembers(c):
		return fmt.Errorf("this is an organization's own cluster, and %s is for the host's: choose that one's context (--context; kubectl config get-contexts lists them)", command)
	}
	return fmt.Errorf("this cluster is no host: it does not serve %s's kinds. Choose another context (--context), or install the chart federation", v1alpha1.GroupName)
}

// NotHere says why a cluster has nothing of a consortium that was expected in an organization's own cluster, and where to
// look instead.
func NotHere(c client.Client, command, consortium string) error {
	switch {
	case IsHost(c):
		return fmt.Errorf("this is the host's cluster, and %s is for an organization's own: choose that one's context (--context; kubectl config get-contexts lists them)", command)
	case IsMembers(c):
		return fmt.Errorf("this cluster has nothing of consortium %s yet: `kubectl get memberplans -A` lists the consortia that it takes part in, `kubectl hanse status %s` what one waits for", consortium, consortium)
	}
	return fmt.Errorf("this cluster has no member agent: choose the context of your organization's cluster (--context; kubectl config get-contexts lists them)")
}
