// Package contract tells clients that were built for another version of an API what has changed.
//
// A client names the API that it was built for in the query of its URL. kkrpc gen ts --contract writes the value:
//
//	import { type API, contract } from "./api.gen"
//	const io = new WebSocketClientIO({ url: "wss://example.com/ws?contract=" + contract })
//
// The server keeps the descriptions of its earlier releases, which kkrpc gen json writes, and compares:
//
//	guard, err := contract.New(api, &contract.Options{Previous: releases, Refuse: true})
//	http.Handle("/ws", ws.HandlerFor(guard.API, nil))
//
// A client of a release for which nothing is broken is served. So is a client that names nothing. A client of this very API
// knows which members of an object it has to send. A request without one is refused, see kkrpc.Options.RequireMembers.
//
// [Files] serves the TypeScript types and the description of an API over HTTP.
package contract

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/errlog"
	"github.com/kkrpc-go/kkrpc/schema"
)

// ErrorName is the name of the error that a client of another API gets. Its field contract is the hash of the API now, and
// changes lists what is broken for the client, as far as it is known.
const ErrorName = "RPCContractError"

// Options configure a Guard. Nil and the zero value mean the defaults.
type Options struct {
	// Previous are the descriptions of earlier releases. The guard knows the changes only for clients of these.
	Previous []*schema.API
	// Refuse answers each request of a client that something is broken for with an error, and of one whose contract is
	// unknown. Without it, such clients are served and logged.
	Refuse bool
	// Parameter is the name of the query parameter; empty means "contract".
	Parameter string
	// Logger gets a line of level Warn for each request with a broken or an unknown contract: 100 at once, then one a
	// second. Nil means slog.Default().
	Logger *slog.Logger
}

// Guard compares the contracts of clients with an API. All methods may be called from any goroutine.
type Guard struct {
	opts     Options
	api      *kkrpc.API
	strict   *kkrpc.API // for clients of this very API
	hash     string
	breaking map[string][]string // what is broken for clients of a release, by its hash
	lines    *errlog.Bound
}

// New compiles api, by kkrpc.Expose, and compares it with opts.Previous.
func New(api any, opts *Options) (*Guard, error) {
	g := &Guard{breaking: map[string][]string{}, lines: errlog.New()}
	if opts != nil {
		g.opts = *opts
	}
	if g.opts.Parameter == "" {
		g.opts.Parameter = "contract"
	}
	if g.opts.Logger == nil {
		g.opts.Logger = slog.Default()
	}
	compiled, err := kkrpc.Expose(api)
	if err != nil {
		return nil, err
	}
	now, err := schema.Of(compiled)
	if err != nil {
		return nil, err
	}
	g.api, g.strict, g.hash = compiled, compiled.RequireMembers(), now.Hash()
	for i, old := range g.opts.Previous {
		if old == nil {
			return nil, fmt.Errorf("contract: Options.Previous[%d] is nil", i)
		}
		g.breaking[old.Hash()] = schema.Breaking(old, now)
	}
	g.breaking[g.hash] = nil
	return g, nil
}

// Hash is the contract of the API.
func (g *Guard) Hash() string { return g.hash }

// API returns what the client that sent r gets: the API, for clients of this very API by API.RequireMembers, or one that
// refuses everything. It is for ws.HandlerFor and
// kkhttp.HandlerFor. The error is always nil.
func (g *Guard) API(r *http.Request) (any, error) {
	if err := g.Check(r); err != nil {
		return kkrpc.Refuse(err), nil
	}
	if r.URL.Query().Get(g.opts.Parameter) == g.hash {
		return g.strict, nil
	}
	return g.api, nil
}

// Check returns the *kkrpc.Error with which the client that sent r is to be refused, or nil. It is for a server that makes
// an API for each connection, which may return kkrpc.Refuse(err) for that client.
func (g *Guard) Check(r *http.Request) error {
	contract := r.URL.Query().Get(g.opts.Parameter)
	if contract == "" {
		return nil
	}
	changes, known := g.breaking[contract]
	if known && len(changes) == 0 {
		return nil
	}
	if left, ok := g.lines.Allow(); ok {
		g.opts.Logger.Warn("contract: a client was built for another version of the API", "remote", r.RemoteAddr,
			"contract", errlog.Shorten(contract), "known", known, "changes", changes, "refused", g.opts.Refuse, "left_out", left)
	}
	if !g.opts.Refuse {
		return nil
	}
	return &kkrpc.Error{Name: ErrorName, Message: message(changes), Fields: map[string]any{
		"contract": g.hash, "changes": append([]string{}, changes...),
	}}
}

// mostChanges is how many changes stand in the message; the field has them all.
const mostChanges = 5

func message(changes []string) string {
	const text = "this client was built for another version of the API; load it anew"
	switch n := len(changes); {
	case n == 0:
		return text
	case n > mostChanges:
		return fmt.Sprintf("%s (%s; and %d changes more)", text, strings.Join(changes[:mostChanges], "; "), n-mostChanges)
	}
	return fmt.Sprintf("%s (%s)", text, strings.Join(changes, "; "))
}
