package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// goal is a bound that this project has set itself.
type goal struct {
	about    string
	scenario string
	row      subjectName
	// against is what the row is compared with; none means that the number itself is meant.
	against subjectName
	number  func(sample) float64
	most    float64
	// least turns the bound around.
	least bool
	unit  string
	// beside is the scenario of against; empty means the same.
	beside string
}

type subjectName struct{ peer, dialect string }

func cost(s sample) float64      { return s.Cost() }
func perSecond(s sample) float64 { return s.Rate }
func collected(s sample) float64 { return s.Collected }
func kilobytes(s sample) float64 { return s.Bytes / 1000 }

func p99(s sample) float64 { return s.P99.Seconds() }

func slowest(s sample) float64 {
	if s.P50 == 0 {
		return 0
	}
	return float64(s.P99) / float64(s.P50)
}

var (
	ours = subjectName{"go", "compact-json"}
	hono = subjectName{baseline, "compact-json"}
	none subjectName

	oursSuperJSON = subjectName{"go", "classic-superjson"}
	bunSuperJSON  = subjectName{"kkrpc0.7-bun", "classic-superjson"}
	publish       = subjectName{"bun-echo", "echo"}
)

var goals = slices.Concat([]goal{
	{"1×1", "add-1x1", ours, hono, cost, 1.0, false, "", ""},
	{"1×64", "add-1x64", ours, hono, cost, 0.30, false, "", ""},
	{"64×1", "add-64x1", ours, hono, cost, 0.68, false, "", ""},
	{"64×16", "add-64x16", ours, hono, cost, 0.22, false, "", ""},
	{"echo of 1 KiB", "echo-1k", ours, hono, cost, 0.50, false, "", ""},
	{"echo of 64 KiB", "echo-64k", ours, hono, cost, 0.72, false, "", ""},
	{"classic json, of kkrpc 0.7 on Bun", "add-64x16", subjectName{"go", "classic-json"}, subjectName{"kkrpc0.7-bun", "classic-json"}, cost, 0.20, false, "", ""},
	{"classic superjson, of kkrpc 0.7 on Bun", "add-64x16", subjectName{"go", "classic-superjson"}, subjectName{"kkrpc0.7-bun", "classic-superjson"}, cost, 0.12, false, "", ""},
	{"classic json, of kkrpc 0.2.2 on Bun", "add-64x16", subjectName{"go", "classic-json"}, subjectName{"kkrpc0.2-bun", "classic-json"}, cost, 0.20, false, "", ""},
	{"classic superjson, of kkrpc 0.2.2 on Bun", "add-64x16", subjectName{"go", "classic-superjson"}, subjectName{"kkrpc0.2-bun", "classic-superjson"}, cost, 0.12, false, "", ""},
	{"handlers called by reflection, 64×16", "add-64x16", subjectName{"go-reflected", "compact-json"}, hono, cost, 0.50, false, "", ""},
	{"of the raw echo, 1×1", "add-1x1", ours, subjectName{"raw-echo", "echo"}, cost, 2, false, "", ""},
	{"of the raw echo, 1×64", "add-1x64", ours, subjectName{"raw-echo", "echo"}, cost, 2, false, "", ""},
	{"of the raw echo, 64×1", "add-64x1", ours, subjectName{"raw-echo", "echo"}, cost, 2, false, "", ""},
	{"of the raw echo, 64×16", "add-64x16", ours, subjectName{"raw-echo", "echo"}, cost, 2, false, "", ""},
	{"of the raw echo, 1 KiB", "echo-1k", ours, subjectName{"raw-echo", "echo"}, cost, 2, false, "", ""},
	{"of the raw echo, 64 KiB", "echo-64k", ours, subjectName{"raw-echo", "echo"}, cost, 2, false, "", ""},
	{"of grpc-go, 64×16", "add-64x16", ours, subjectName{"grpc-go", "grpc"}, cost, 0.12, false, "", ""},
	{"p99/p50, 64×16", "add-64x16", ours, none, slowest, 2.5, false, "", ""},
	{"calls per second of a kkrpc client", "js-client", ours, hono, perSecond, 0.97, true, "", ""},
	{"Go client, 64 in flight", "go-client", ours, none, cost, 1.5, false, "µs", ""},
	{"a room of 1,000 members, of Bun's publish", "room-1000", ours, subjectName{"bun-echo", "echo"}, cost, 1.2, false, "", ""},
	{"a room of 10,000 members, of Bun's publish", "room-10000", ours, subjectName{"bun-echo", "echo"}, cost, 1.2, false, "", ""},
	{"placeOrder", "orders", ours, hono, cost, 0.50, false, "", ""},
	{"placeOrder, classic superjson, of kkrpc 0.7 on Bun", "orders", oursSuperJSON, bunSuperJSON, cost, 0.35, false, "", ""},
	{"placeOrder, p99/p50", "orders", ours, none, slowest, 4, false, "", ""},
	{"getUsers", "users", ours, hono, cost, 0.45, false, "", ""},
	{"getUsers, classic superjson, of kkrpc 0.7 on Bun", "users", oursSuperJSON, bunSuperJSON, cost, 0.05, false, "", ""},
	{"getUsers, p99/p50", "users", ours, none, slowest, 4, false, "", ""},
	{"getUser", "user", ours, hono, cost, 0.30, false, "", ""},
	{"1 MiB of bytes echoed", "bytes-echo-1m", subjectName{"go", "compact-bytes"}, subjectName{"kkrpc2-bun", "compact-json"}, cost, 0.15, false, "", ""},
	{"1 MiB of bytes echoed, of the raw echo", "bytes-echo-1m", subjectName{"go", "compact-bytes"}, subjectName{"raw-echo", "echo-bytes"}, cost, 1.5, false, "", ""},
	{"64×16 where bytes were agreed on, of without", "add-64x16-bytes", subjectName{"go", "compact-bytes"}, ours, cost, 1.02, false, "", ""},
	{"64×16 in sessions, of without", "add-64x16-session", subjectName{"go", "compact-session"}, ours, cost, 1.05, false, "", ""},
	{"64×16 with TLS", "add-tls-64x16", ours, hono, cost, 0.60, false, "", ""},
	{"64×1 with TLS", "add-tls-64x1", ours, hono, cost, 0.60, false, "", ""},
	{"an object to 1,000 members in a row of 20, of Bun's publish", "members-1000", ours, publish, cost, 1.5, false, "", ""},
	{"an object to 1,000 members by itself, of Bun's publish", "members-1000-single", ours, publish, cost, 1.5, false, "", ""},
	{"an object to 1,000 members with Share in a row of 20, of Bun's publish", "members-1000-share", ours, publish, cost, 1.1, false, "", ""},
	{"an object to 1,000 members with Share by itself, of Bun's publish", "members-1000-share-single", ours, publish, cost, 1.1, false, "", ""},
	{"memory of 5,000 connections after calls", "idle-after-calls", ours, hono, cost, 1.5, false, "", ""},
	{"memory of 5,000 connections after calls and a collection", "idle-after-calls", ours, hono, collected, 1.5, false, "", ""},
	{"a room of 1,000 members on three nodes, of one node", "room-1000", subjectName{"go-three-nodes", "compact-json"}, subjectName{"go-one-node", "compact-json"}, cost, 1.5, false, "", ""},
	{"a room of 10,000 members on three nodes, of one node", "room-10000", subjectName{"go-three-nodes", "compact-json"}, subjectName{"go-one-node", "compact-json"}, cost, 1.5, false, "", ""},
	{"p99 of a room with a member that does not read, of without", "room-stalled", ours, ours, p99, 1.5, false, "", "room-paced"},
	insideHono("bun", hono.peer, "add-1x64", 1.0),
	insideHono("node", "kkrpc2-node-hono", "add-1x64", 1.6),
	insideHono("deno", "kkrpc2-deno-hono", "add-1x64", 1.0),
	insideHono("workerd", "kkrpc2-workerd-hono", "add-1x64", 1.5),
	insideHono("workerd", "kkrpc2-workerd-hono", "add-1x1", 0.8),
	{"idle, 5,000 connections", "idle-5k", ours, none, kilobytes, 5, false, "KB", ""},
	{"idle, 20,000 connections", "idle-20k", ours, none, kilobytes, 5, false, "KB", ""},
	{"idle with TLS, 5,000 connections", "idle-tls-5k", ours, none, kilobytes, 14, false, "KB", ""},
	{"idle with TLS, 20,000 connections", "idle-tls-20k", ours, none, kilobytes, 14, false, "KB", ""},
}, eachConnection("go-per-connection"), eachConnection("go-per-connection-40"))

// eachConnection are the goals of a server that makes an API for each connection, beside one that shares its API.
func eachConnection(peer string) []goal {
	row := subjectName{peer, "compact-json"}
	of := func(about, scenario string, number func(sample) float64, most float64) goal {
		return goal{peer + " of go, " + about, scenario, row, ours, number, most, false, "", ""}
	}
	return []goal{
		of("64×16", "add-64x16", cost, 1.05),
		of("placeOrder", "orders", cost, 1.05),
		of("getUsers", "users", cost, 1.05),
		of("callbacks", "callbacks", cost, 1.20),
		of("a room of 1,000 members", "room-1000", cost, 1.20),
		of("idle, 5,000 connections", "idle-5k", cost, 1.20),
		of("memory after calls", "idle-after-calls", cost, 1.20),
		of("memory after calls and a collection", "idle-after-calls", collected, 1.20),
		of("memory after closed connections", "closed-after-calls", cost, 1.20),
		of("memory after closed connections and a collection", "closed-after-calls", collected, 1.20),
	}
}

// insideHono is the goal of Go inside Hono beside kkrpc in the same runtime.
func insideHono(runtime, peer, scenario string, least float64) goal {
	return goal{"calls per second inside Hono on " + runtime + ", of " + peer + ", " + scenario, scenario,
		subjectName{"go-in-" + runtime + "-hono", "compact-json"}, subjectName{peer, "compact-json"}, perSecond, least, true, "", ""}
}

// verdict is a goal beside what was measured.
type verdict struct {
	goal *goal
	got  float64
	met  bool
	why  string // why there is no number
}

func (g *goal) judge(rows []*row) verdict {
	number, why := g.of(rows, g.scenario, g.row)
	if why != "" {
		return verdict{goal: g, why: why}
	}
	if g.against != none {
		base, why := g.of(rows, cmp.Or(g.beside, g.scenario), g.against)
		if why != "" || base == 0 {
			return verdict{goal: g, why: why}
		}
		number /= base
	}
	return verdict{goal: g, got: number, met: number == g.most || (number < g.most) != g.least}
}

// of returns a subject's number. A generator that could not keep up says nothing about the number of calls, but does not
// change much what a call costs the server.
func (g *goal) of(rows []*row, scenario string, s subjectName) (number float64, why string) {
	for _, r := range rows {
		if r.Scenario != scenario || r.Peer != s.peer || r.Dialect != s.dialect {
			continue
		}
		if len(r.Samples) == 0 {
			return 0, s.peer + " was not measured"
		}
		m, _ := r.Median()
		return g.number(m), ""
	}
	return 0, s.peer + " did not take part"
}

// printGoals prints the goals of the scenarios that have run.
func printGoals(w io.Writer, rows []*row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	header := false
	for i := range goals {
		g := &goals[i]
		if len(rowsOf(rows, g.scenario)) == 0 {
			continue
		}
		if !header {
			fmt.Fprint(w, "\ngoals, as ratios to ", baseline, " where nothing else is said\n")
			header = true
		}
		bound, unit := "≤", g.unit
		if g.least {
			bound = "≥"
		}
		if unit != "" {
			unit = " " + unit
		}
		v := g.judge(rows)
		result := fmt.Sprintf("%.2f%s", v.got, unit)
		word := "missed"
		if v.met {
			word = "met"
		}
		if v.why != "" {
			result, word = "", "not measured: "+v.why
		}
		fmt.Fprintf(t, "  %s\t%s %.2f%s\t%s\t%s\n", g.about, bound, g.most, unit, result, word)
	}
	t.Flush()
}
