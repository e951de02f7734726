package scale

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/sync/errgroup"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

const (
	// namespace of the declarations.
	namespace = "bench"
	// parallel is how many requests are made at once.
	parallel = 16
	// leaseSeconds is the longest that the controller accepts.
	leaseSeconds = 600
)

// each calls do for the numbers from..to-1, many at once.
func each(ctx context.Context, from, to int, do func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i := from; i < to; i++ {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

// grow declares what a larger host has more than a smaller one: Members with what their agents report of them, Lines, and
// then Consortia with a Channel and a Contract each.
func grow(ctx context.Context, c client.Client, before, after Size) error {
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if err := client.IgnoreAlreadyExists(c.Create(ctx, space)); err != nil {
		return err
	}
	for _, step := range []struct {
		from, to int
		do       func(ctx context.Context, c client.Client, i int) error
	}{
		{0, int(before), renewLease}, // the whole may take longer than a Lease lasts
		{int(before), int(after), declareMember},
		{int(before), int(after), declareLines},
		{int(before), int(after), reportMember},
		{before.consortia(), after.consortia(), declareConsortium},
	} {
		if err := each(ctx, step.from, step.to, func(ctx context.Context, i int) error { return step.do(ctx, c, i) }); err != nil {
			return err
		}
	}
	return nil
}

func declareMember(ctx context.Context, c client.Client, i int) error {
	return c.Create(ctx, &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: memberName(i)}})
}

// declareLines declares the lines to the Members with higher numbers.
func declareLines(ctx context.Context, c client.Client, i int) error {
	for _, n := range neighbours(i) {
		if n.member < memberName(i) {
			continue
		}
		line := &v1alpha1.Line{ObjectMeta: metav1.ObjectMeta{Name: n.line}}
		for _, end := range []string{memberName(i), n.member} {
			line.Spec.Ends = append(line.Spec.Ends, v1alpha1.LineEnd{Member: end, Address: "gateway." + end + ".example.com"})
		}
		if err := c.Create(ctx, line); err != nil {
			return err
		}
	}
	return nil
}

// reportMember registers a Member as the controller would, and reports what its agent would: its Lease, its root and its lines.
func reportMember(ctx context.Context, c client.Client, i int) error {
	if err := renewLease(ctx, c, i); err != nil {
		return err
	}
	return changeMember(ctx, c, i, func(s *v1alpha1.MemberStatus) error {
		key := digest("key of " + memberName(i))
		s.Registration = &v1alpha1.MemberRegistration{KeyFingerprint: key, Time: metav1.Now(), Issued: 1, LastIssued: metav1.Now()}
		s.Agent = v1alpha1.MemberAgent{Version: "0.1.0", KubernetesVersion: "v1.37.2", KeyFingerprint: key}
		s.Nodes = v1alpha1.NodeCount{Ready: 6, Desired: 6, Summary: "6/6"}
		for _, n := range neighbours(i) {
			s.Lines = append(s.Lines, v1alpha1.LineReport{
				Name: n.line, Member: n.member, State: v1alpha1.LineUp, Reverse: v1alpha1.LineUp, RTTMicroseconds: 900, Active: true, Since: metav1.Now(),
			})
		}
		return renewRoot(memberName(i), s)
	})
}

// changeMember changes a Member's status as its agent does: again, if somebody else has changed it meanwhile.
func changeMember(ctx context.Context, c client.Client, i int, change func(*v1alpha1.MemberStatus) error) error {
	for {
		m := &v1alpha1.Member{}
		if err := c.Get(ctx, client.ObjectKey{Name: memberName(i)}, m); err != nil {
			return err
		}
		if err := change(&m.Status); err != nil {
			return err
		}
		if err := c.Status().Update(ctx, m); !apierrors.IsConflict(err) {
			return err
		}
	}
}

// renewRoot gives a Member another root certificate.
func renewRoot(member string, s *v1alpha1.MemberStatus) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{Organization: []string{member}, CommonName: "Hanse root of " + member},
		NotBefore: time.Now(), NotAfter: time.Now().AddDate(10, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	s.Root = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return err
}

// renewLease makes or renews a Member's Lease, once the controller has made the Member's namespace.
func renewLease(ctx context.Context, c client.Client, i int) error {
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.MemberNamespace(memberName(i)), Name: v1alpha1.AgentLease},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: ptr.To("agent"), LeaseDurationSeconds: ptr.To[int32](leaseSeconds), RenewTime: ptr.To(metav1.NowMicro()),
		},
	}
	return wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, 5*time.Minute, true, func(ctx context.Context) (bool, error) {
		err := c.Create(ctx, lease.DeepCopy())
		if apierrors.IsAlreadyExists(err) {
			err = c.Patch(ctx, lease, client.MergeFrom(&coordinationv1.Lease{ObjectMeta: lease.ObjectMeta}))
		}
		return err == nil, client.IgnoreNotFound(err)
	})
}

func declareConsortium(ctx context.Context, c client.Client, i int) error {
	meta := metav1.ObjectMeta{Namespace: namespace, Name: consortiumName(i)}
	consortium := &v1alpha1.Consortium{ObjectMeta: meta}
	for n, name := range membersOf(i) {
		member := v1alpha1.ConsortiumMember{Name: name, Role: v1alpha1.RoleParticipant}
		if n == 0 {
			member.Role = v1alpha1.RoleLeader
		}
		consortium.Spec.Members = append(consortium.Spec.Members, member)
	}
	for _, object := range []client.Object{
		consortium,
		&v1alpha1.Channel{ObjectMeta: meta, Spec: v1alpha1.ChannelSpec{Consortium: meta.Name}},
		&v1alpha1.Contract{ObjectMeta: meta, Spec: v1alpha1.ContractSpec{Channel: meta.Name, Template: v1alpha1.TemplateNotary}},
	} {
		if err := c.Create(ctx, object); err != nil {
			return fmt.Errorf("declare %T %s: %w", object, meta.Name, err)
		}
	}
	return nil
}

// digest stands for that of a statement or a key.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
