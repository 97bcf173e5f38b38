package main

import (
	"slices"

	"github.com/kkrpc-go/kkrpc/bench/load"
)

// kind is what a scenario does with a server.
type kind string

const (
	calls     kind = "calls"
	objects   kind = "calls with objects"
	blobs     kind = "bytes"
	layered   kind = "calls over layers of this project"
	streams   kind = "stream"
	callbacks kind = "callbacks"
	rooms     kind = "room"
	paced     kind = "room at a pace"
	members   kind = "members"
	shared    kind = "members, a message encoded once"
	memory    kind = "memory"
	resident  kind = "resident memory"
	setup     kind = "setup"
	jsClients kind = "clients in JavaScript"
	goClients kind = "clients in Go"
)

// scenario is one kind of work.
type scenario struct {
	name     string
	about    string
	kind     kind
	conns    int
	inFlight int
	work     func() load.Work
	// dialects are those to measure; nil means the first of each peer.
	dialects []string
	basic    bool // every peer has the method
	size     int  // of what is echoed, in bytes
	n        int  // items, callbacks or connections
	burst    int  // messages in a row to each member
	closed   bool // connections are closed after their call
	stalled  bool // one member does not read
	tls      bool
	once     bool // is measured once only, since it takes long and hardly differs
	few      bool // takes so long that only some peers take part
	byRate   bool // ratios are of calls per second
	// without are dialects in which a peer cannot take part.
	without []subjectName
}

var (
	plain         = []string{"compact-json", "classic-json"}
	compactOrEcho = []string{"compact-json", "echo"}
)

var allDialects = []string{"compact-json", "compact-superjson", "classic-json", "classic-superjson", "echo", "capnweb", "centrifuge", "grpc"}

func echoOf(n int) func() load.Work { return func() load.Work { return load.Echo(n) } }

var scenarios = []scenario{
	{name: "add-1x1", about: "math.add, 1 connection, 1 call in flight", kind: calls, conns: 1, inFlight: 1, work: load.Add, basic: true},
	{name: "add-1x64", about: "math.add, 1 connection, 64 calls in flight", kind: calls, conns: 1, inFlight: 64, work: load.Add, basic: true},
	{name: "add-64x1", about: "math.add, 64 connections, 1 call in flight on each", kind: calls, conns: 64, inFlight: 1, work: load.Add, basic: true},
	{name: "add-64x16", about: "math.add, 64 connections, 16 calls in flight on each", kind: calls, conns: 64, inFlight: 16, work: load.Add, basic: true, dialects: allDialects},
	{name: "add-tls-64x1", about: "math.add with TLS, 64 connections, 1 call in flight on each", kind: calls, conns: 64, inFlight: 1, work: load.Add, basic: true, tls: true},
	{name: "add-tls-64x16", about: "math.add with TLS, 64 connections, 16 calls in flight on each", kind: calls, conns: 64, inFlight: 16, work: load.Add, basic: true, tls: true},
	{name: "echo-1k", about: "echo of 1 KiB, 16 connections, 4 calls in flight on each", kind: calls, conns: 16, inFlight: 4, size: 1 << 10, work: echoOf(1 << 10), basic: true},
	{name: "fair-16x4", about: "echo of 4.4 KB, 16 connections, 4 calls in flight on each; p99/p50 tells whether they have fair turns", kind: calls, conns: 16, inFlight: 4, size: 4400, work: echoOf(4400), basic: true},
	{name: "echo-64k", about: "echo of 64 KiB, 4 connections, 2 calls in flight on each", kind: calls, conns: 4, inFlight: 2, size: 64 << 10, work: echoOf(64 << 10), basic: true},
	{name: "struct-20", about: "echo of an object with 20 fields, 16 connections, 4 calls in flight on each", kind: calls, conns: 16, inFlight: 4, work: load.Struct},
	{name: "orders", about: "placeOrder of an object with 50 items, 4.6 KB, 16 connections, 4 calls in flight on each", kind: objects, conns: 16, inFlight: 4, work: load.Order, dialects: compactAndClassic},
	{name: "users", about: "getUsers, 100 users, 24 KB, 16 connections, 4 calls in flight on each", kind: objects, conns: 16, inFlight: 4, work: load.Users, dialects: compactAndClassic},
	{name: "user", about: "getUser, one of them, 16 connections, 4 calls in flight on each", kind: objects, conns: 16, inFlight: 4, work: load.User, dialects: compactAndClassic},
	{name: "bytes-1m", about: "a result of 1 MiB of bytes, 1 connection, 2 calls in flight", kind: blobs, conns: 1, inFlight: 2, work: func() load.Work { return load.Bytes(1 << 20) }, dialects: []string{"compact-superjson", "classic-superjson"}},
	{name: "bytes-echo-1m", about: "echo of 1 MiB of bytes, 1 connection, 2 calls in flight", kind: blobs, conns: 1, inFlight: 2, work: func() load.Work { return load.EchoBytes(1 << 20) }, dialects: []string{"compact-bytes", "compact-json", "echo-bytes"}, without: []subjectName{ours}}, // as JSON it is over Limits.Frame
	{name: "add-64x16-bytes", about: "math.add where bytes could travel beside the text, 64 connections, 16 calls in flight on each", kind: layered, conns: 64, inFlight: 16, work: load.Add, dialects: []string{"compact-bytes", "compact-json"}},
	{name: "add-64x16-session", about: "math.add in sessions, 64 connections, 16 calls in flight on each", kind: layered, conns: 64, inFlight: 16, work: load.Add, dialects: []string{"compact-session", "compact-json"}},
	{name: "stream-100k", about: "a stream of 100,000 numbers", kind: streams, n: 100_000, dialects: plain},
	{name: "callbacks", about: "a function of the client called 10,000 times", kind: callbacks, n: 10_000, dialects: plain},
	{name: "room-1000", about: "64 bytes to 1,000 members, 20 times in a row", kind: rooms, n: 1000, burst: 20, dialects: []string{"compact-json", "echo", "centrifuge"}},
	{name: "room-10000", about: "64 bytes to 10,000 members, 20 times in a row", kind: rooms, n: 10_000, burst: 20, dialects: []string{"compact-json", "echo", "centrifuge"}, few: true},
	{name: "room-paced", about: "1,000 messages a second to 1,000 members, for 10 s", kind: paced, n: 1000, dialects: []string{"compact-json"}, once: true, few: true},
	{name: "room-stalled", about: "the same, and one of the members does not read", kind: paced, n: 1000, stalled: true, dialects: []string{"compact-json"}, once: true, few: true},
	{name: "members-1000", about: "an object to the callbacks of 1,000 members in a loop, 20 times in a row", kind: members, n: 1000, burst: 20, dialects: compactOrEcho},
	{name: "members-1000-single", about: "an object to the callbacks of 1,000 members in a loop, one message at a time", kind: members, n: 1000, burst: 1, dialects: compactOrEcho},
	{name: "members-1000-share", about: "an object to the callbacks of 1,000 members with Share, 20 times in a row", kind: shared, n: 1000, burst: 20, dialects: compactOrEcho},
	{name: "members-1000-share-single", about: "an object to the callbacks of 1,000 members with Share, one message at a time", kind: shared, n: 1000, burst: 1, dialects: compactOrEcho},
	{name: "idle-5k", about: "5,000 idle connections", kind: memory, n: 5000, once: true},
	{name: "idle-20k", about: "20,000 idle connections", kind: memory, n: 20_000, once: true, few: true},
	{name: "idle-tls-5k", about: "5,000 idle connections with TLS", kind: memory, n: 5000, tls: true, once: true},
	{name: "idle-tls-20k", about: "20,000 idle connections with TLS", kind: memory, n: 20_000, tls: true, once: true, few: true},
	{name: "idle-after-calls", about: "a call on each of 5,000 connections, made one after the other; all memory 3 s later, and after a collection", kind: resident, n: 5000, once: true},
	{name: "closed-after-calls", about: "a call on each of 5,000 connections, closed one after the other; all memory 3 s later, and after a collection", kind: resident, n: 5000, closed: true, once: true},
	{name: "js-client", about: "kkrpc 2 on Bun as the client, 64 calls in flight; ratios of calls per second", kind: jsClients, inFlight: 64, byRate: true, dialects: []string{"compact-json"}},
	{name: "js-client-classic", about: "kkrpc 0.2 on Bun as the client, 64 calls in flight; ratios of calls per second", kind: jsClients, inFlight: 64, byRate: true, dialects: []string{"classic-json"}},
	{name: "go-client", about: "this project's client, 64 calls in flight; the processor time is the client's", kind: goClients, inFlight: 64, dialects: []string{"compact-json", "classic-json", "classic-superjson"}},
	{name: "connect", about: "connecting, one call, closing", kind: setup},
	{name: "connect-tls", about: "connecting with TLS, one call, closing", kind: setup, tls: true},
}

// subject is a peer that speaks one of its dialects.
type subject struct {
	peer    *peer
	dialect string
}

func (s subject) String() string { return s.peer.name + " " + s.dialect }

// fewPeers are those of the scenarios with few.
var fewPeers = []string{"go", baseline, "kkrpc0.2-bun", "bun-echo", "centrifuge", "go-one-node", "go-three-nodes"}

// subjects returns who takes part in a scenario.
func (s *scenario) subjects(peers []*peer) []subject {
	var list []subject
	for _, p := range peers {
		if s.tls && p.tls == nil || s.few && !slices.Contains(fewPeers, p.name) {
			continue
		}
		if p.only != nil {
			if !slices.Contains(p.only, s.name) {
				continue
			}
		} else if !s.basic && !slices.Contains(p.can, s.kind) {
			continue
		}
		for i, d := range p.dialects {
			if slices.Contains(s.without, subjectName{p.name, d}) {
				continue
			}
			if s.dialects == nil && i == 0 || slices.Contains(s.dialects, d) {
				list = append(list, subject{p, d})
			}
		}
	}
	return list
}
