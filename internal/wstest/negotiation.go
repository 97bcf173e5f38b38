package wstest

import (
	"fmt"
	"net"
	"net/http"
	"strings"
)

// offer is a value of Sec-WebSocket-Extensions that a server must agree to by the rules, decline, or refuse.
type offer struct{ name, header string }

var offers = []offer{
	{"nothing", ""},
	{"no parameters", "permessage-deflate"},
	{"what browsers send", "permessage-deflate; client_max_window_bits"},
	{"all parameters", "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=10"},
	{"a small window of the server", "permessage-deflate; server_max_window_bits=8"},
	{"the largest window of the server", "permessage-deflate; server_max_window_bits=15"},
	{"a small window of the client", "permessage-deflate; client_max_window_bits=8"},
	{"a quoted value", `permessage-deflate; server_max_window_bits="10"`},
	{"a second choice", "permessage-deflate; server_max_window_bits=10, permessage-deflate"},
	{"two extensions", "x-unknown; mode=1, permessage-deflate"},
	{"another extension", "x-webkit-deflate-frame"},
	{"an unknown parameter", "permessage-deflate; quick"},
	{"an unknown parameter, then a second choice", "permessage-deflate; quick, permessage-deflate"},
	{"a flag with a value", "permessage-deflate; server_no_context_takeover=1"},
	{"a flag twice", "permessage-deflate; server_no_context_takeover; server_no_context_takeover"},
	{"a window twice", "permessage-deflate; client_max_window_bits=10; client_max_window_bits=10"},
	{"a window twice without a value", "permessage-deflate; client_max_window_bits; client_max_window_bits"},
	{"a window without a value, then with one", "permessage-deflate; client_max_window_bits; client_max_window_bits=10"},
	{"a window of the server without a value", "permessage-deflate; server_max_window_bits"},
	{"a window of 7", "permessage-deflate; server_max_window_bits=7"},
	{"a window of 16", "permessage-deflate; client_max_window_bits=16"},
	{"a window with a leading zero", "permessage-deflate; client_max_window_bits=010"},
	{"a window with a sign", "permessage-deflate; client_max_window_bits=+10"},
	{"a window that is no number", "permessage-deflate; client_max_window_bits=x"},
}

// valid returns the elements of the offer that follow the rules.
func (o offer) valid() offerList {
	var list offerList
	for part := range strings.SplitSeq(o.header, ",") {
		if l, err := parse(part); err == nil {
			list = append(list, l...)
		}
	}
	return list
}

// try makes the offer, and sends a message if it is answered.
func (o offer) try(nc net.Conn) error {
	br, resp, err := open(nc, o.header)
	if err != nil {
		return err
	}
	valid := o.valid()
	if resp.StatusCode == http.StatusBadRequest && len(valid) == 0 && o.header != "" {
		return nil
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("answered %s", resp.Status)
	}
	header := strings.Join(resp.Header.Values("Sec-WebSocket-Extensions"), ", ")
	agreed, err := parse(header)
	if err != nil || len(agreed) > 0 && !valid.allow(agreed) {
		return fmt.Errorf("agreed with %q", header)
	}
	c := build("", "", text(hello), echoes(opText, hello), clean{})
	p := newPeer(nc, br, true)
	if len(agreed) > 0 {
		p.in = &compression{fresh: agreed[0].serverFresh}
	}
	if err := c.Outcome.check(p.play(&c)); err != nil {
		return fmt.Errorf("agreed with %q: %w", header, err)
	}
	return nil
}

// answer is what a server agrees to, for the value of Sec-WebSocket-Extensions of a client.
type answer struct {
	name   string
	header func(offer element) string
}

var answers = []answer{
	{"the least", func(o element) string {
		return element{serverFresh: o.serverFresh, serverBits: o.serverBits}.String()
	}},
	{"nothing", func(element) string { return "" }},
	{"no context of the client", func(o element) string { o.clientFresh, o.clientBits = true, 0; return o.String() }},
	{"no contexts", func(o element) string {
		return element{serverFresh: true, clientFresh: true, serverBits: o.serverBits}.String()
	}},
	{"a small window of the server, unasked", func(o element) string {
		return element{serverFresh: o.serverFresh, serverBits: 9}.String()
	}},
	{"a small window of the client", func(o element) string {
		return element{serverFresh: o.serverFresh, serverBits: o.serverBits, clientBits: 9}.String()
	}},
	{"no parameters", func(element) string { return "permessage-deflate" }},
	{"another extension", func(element) string { return "x-webkit-deflate-frame" }},
	{"two extensions", func(o element) string {
		e := element{serverFresh: o.serverFresh, serverBits: o.serverBits}.String()
		return e + ", " + e
	}},
	{"an unknown parameter", add("; quick")},
	{"a flag with a value", add("; client_no_context_takeover=1")},
	{"a flag twice", add("; client_no_context_takeover; client_no_context_takeover")},
	{"a window of the client without a value", add("; client_max_window_bits")},
	{"a window of the server without a value", add("; server_max_window_bits")},
	{"a window of 7", add("; server_max_window_bits=7")},
	{"a window of 16", add("; server_max_window_bits=16")},
	{"a window with a leading zero", add("; server_max_window_bits=010")},
	{"a window twice", add("; server_max_window_bits=10; server_max_window_bits=10")},
}

// add returns the least answer with more behind it.
func add(more string) func(element) string {
	return func(o element) string {
		return element{serverFresh: o.serverFresh}.String() + more
	}
}

// try answers a client, and sends a message, which only comes back if the answer is valid.
func (a answer) try(nc net.Conn) error {
	br, r, err := requested(nc)
	if err != nil {
		return err
	}
	offered, err := parse(strings.Join(r.Header.Values("Sec-WebSocket-Extensions"), ", "))
	if err != nil || len(offered) == 0 {
		return fmt.Errorf("the client offers %v, %v", offered, err)
	}
	header := a.header(offered[0])
	agreed, err := parse(header)
	valid := err == nil && (len(agreed) == 0 || offered.allow(agreed))
	if err := agree(nc, r, header); err != nil {
		return err
	}
	c := build("", "", text(hello), echoes(opText, hello), clean{})
	p := newPeer(nc, br, false)
	if valid && len(agreed) > 0 {
		p.in = &compression{fresh: agreed[0].clientFresh}
	}
	err = c.Outcome.check(p.play(&c))
	switch {
	case valid && err != nil:
		return fmt.Errorf("answer %q to %q: %w", header, offered, err)
	case !valid && (err == nil || len(p.seen.events) > 0):
		return fmt.Errorf("the client, which offered %q, agrees to %q", offered, header)
	}
	return nil
}
