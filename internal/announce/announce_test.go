package announce_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/announce"
)

func TestDialect(t *testing.T) {
	some := []kkrpc.Dialect{kkrpc.Compact, kkrpc.Classic}
	for _, row := range []struct {
		name, query string
		protocols   []string
		list        []kkrpc.Dialect
		want        kkrpc.Dialect
		ok          bool
		fails       string
	}{
		{name: "none"},
		{name: "parameter", query: "a=b&kkrpc=classic-json", want: kkrpc.Classic, ok: true},
		{name: "parameter twice", query: "kkrpc=classic-json&kkrpc=no", want: kkrpc.Classic, ok: true},
		{name: "bytes", query: "kkrpc=compact-json,bytes.1", want: kkrpc.Compact, ok: true},
		{name: "bytes, encoded", query: "kkrpc=auto%2Cbytes.1", ok: true},
		{name: "other than bytes", query: "kkrpc=compact-json,bytes.2", fails: `unknown dialect "compact-json,bytes.2"`},
		{name: "bytes alone", query: "kkrpc=bytes.1", fails: `unknown dialect "bytes.1"`},
		{name: "detection, asked for", query: "kkrpc=auto", protocols: []string{"kkrpc.classic-json"}, ok: true},
		{name: "unknown", query: "kkrpc=soap", fails: `parameter kkrpc: kkrpc: unknown dialect "soap"`},
		{name: "long", query: "kkrpc=" + strings.Repeat("x", 1<<10), fails: strings.Repeat("x", 100) + `"`},
		{name: "subprotocol", protocols: []string{"kkrpc.compact-superjson"}, want: kkrpc.CompactSuperJSON, ok: true},
		{name: "behind others", protocols: []string{"token, a", "b,kkrpc.classic-superjson ,kkrpc.compact-json"}, want: kkrpc.ClassicSuperJSON, ok: true},
		{name: "an unknown one", protocols: []string{"kkrpc.soap, kkrpc"}},
		{name: "both", query: "kkrpc=compact-json", protocols: []string{"kkrpc.classic-json"}, want: kkrpc.Compact, ok: true},
		{name: "accepted", query: "kkrpc=compact-json", list: some, want: kkrpc.Compact, ok: true},
		{name: "detection among the accepted", query: "kkrpc=auto", list: some, ok: true},
		{name: "not accepted", query: "kkrpc=classic-superjson", list: some, fails: "parameter kkrpc: the dialect classic-superjson is not accepted here, only compact-json classic-json"},
		{name: "a subprotocol that is not accepted", protocols: []string{"soap, kkrpc.classic-superjson"}, list: some, fails: "the dialect classic-superjson is not accepted here"},
		{name: "one of the subprotocols is accepted", protocols: []string{"kkrpc.classic-superjson", "kkrpc.classic-json"}, list: some, want: kkrpc.Classic, ok: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			query, err := url.ParseQuery(row.query)
			if err != nil {
				t.Fatal(err)
			}
			got, ok, err := announce.Dialect(query, row.protocols, row.list)
			switch {
			case row.fails != "" && (err == nil || !strings.Contains(err.Error(), row.fails)):
				t.Errorf("got %v, want %q", err, row.fails)
			case row.fails == "" && (err != nil || got != row.want || ok != row.ok):
				t.Errorf("got %v, %t, %v, want %v, %t", got, ok, err, row.want, row.ok)
			}
		})
	}
}

// TestBothWays reads what a client writes.
func TestBothWays(t *testing.T) {
	for _, d := range []kkrpc.Dialect{kkrpc.Compact, kkrpc.CompactSuperJSON, kkrpc.Classic, kkrpc.ClassicSuperJSON} {
		if got, ok, err := announce.Dialect(nil, []string{announce.Protocol(d)}, nil); got != d || !ok || err != nil || !announce.IsProtocol(announce.Protocol(d)) {
			t.Errorf("subprotocol of %v: %v, %t, %v", d, got, ok, err)
		}
		for _, before := range []string{"", "a=b", "a=b&"} {
			raw := announce.AddTo(before, d)
			query, err := url.ParseQuery(raw)
			if got, ok, err2 := announce.Dialect(query, nil, nil); got != d || !ok || err != nil || err2 != nil || !announce.In(query) || !strings.HasPrefix(raw, before) {
				t.Errorf("%q: %v, %t, %v, %v", raw, got, ok, err, err2)
			}
		}
	}
}

func TestBytes(t *testing.T) {
	for query, want := range map[string]bool{
		"": false, "kkrpc=compact-json": false, "kkrpc=compact-json,bytes.1": true, "a=b&kkrpc=classic-json%2Cbytes.1&c": true,
		"kkrpc=auto&kkrpc=auto,bytes.1": false, "bytes=1": false,
	} {
		values, err := url.ParseQuery(query)
		if got := announce.Bytes(values); got != want || err != nil {
			t.Errorf("%q: %t, %v, want %t", query, got, err, want)
		}
	}
}
