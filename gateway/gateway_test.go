package gateway

import (
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/leak"
	"github.com/hanse-io/hanse/internal/routing"
)

func TestMain(m *testing.M) { leak.Main(m) }

const (
	nodeA = "peer0-a.hanse-trade"
	nodeB = "peer0-b.hanse-trade"
)

// twoMembers are gateways of a and b, joined by wires w1 and w2 from a to b and one from b to a.
type twoMembers struct {
	orgA, orgB *organization
	a, b       *testGateway
	w1, w2     *testLine
	back       *testLine
	routes     routing.Routes // of a
}

func join(t testing.TB, changeA, changeB func(*Options)) *twoMembers {
	t.Helper()
	m := &twoMembers{orgA: newOrganization(t, "a"), orgB: newOrganization(t, "b")}
	echoA, echoB := startEcho(t, m.orgA, nodeA), startEcho(t, m.orgB, nodeB)
	m.a, m.b = startGateway(t, m.orgA, changeA), startGateway(t, m.orgB, changeB)
	m.w1, m.w2, m.back = newTestLine(t, m.b.line), newTestLine(t, m.b.line), newTestLine(t, m.a.line)
	roots := map[string]string{"a": m.orgA.root, "b": m.orgB.root}
	m.routes = routing.Routes{
		Member: "a", Roots: roots,
		Local:  map[string]string{nodeA: echoA},
		Remote: map[string]string{nodeB: "b", v1alpha1.AgentServerName("b"): "b"},
		Lines:  []routing.Line{m.w1.line("l1", "b", 10), m.w2.line("l2", "b", 20)},
	}
	m.a.applyRoutes(t, m.routes)
	m.b.applyRoutes(t, routing.Routes{
		Member: "b", Roots: roots,
		Local:  map[string]string{nodeB: echoB},
		Remote: map[string]string{nodeA: "a"},
		Lines:  []routing.Line{m.back.line("l1", "a", 10)},
	})
	return m
}

func (p *testGateway) waitFor(t testing.TB, line string, state v1alpha1.LineState) {
	t.Helper()
	eventually(t, "line "+line+" is "+string(state), func() bool { return p.memory.reported(line).State == state })
}

func TestStreamOverLine(t *testing.T) {
	m := join(t, nil, nil)
	m.a.waitFor(t, "l1", v1alpha1.LineUp)
	conn, err := call(m.a.inside, nodeB, m.orgB)
	must(t, err)
	defer conn.Close()
	must(t, echoes(conn))
}
