package wstest

import (
	"fmt"
	"strconv"
	"strings"
)

// Params is what a peer asks of the compressor of the endpoint, in the order of its preference.
type Params struct {
	Fresh bool // no context takeover
	Bits  int  // of the window; 0 for any
}

// element is one element of Sec-WebSocket-Extensions, for permessage-deflate.
type element struct {
	serverFresh, clientFresh bool
	serverBits, clientBits   int // 0: not there; anyBits: there without a value
}

const anyBits = -1

type offerList []element

// offer is what a client sends to ask a server for p. It leaves the server every choice about itself.
func (p Params) offer() element {
	return element{serverFresh: p.Fresh, serverBits: p.Bits, clientFresh: true, clientBits: anyBits}
}

func (e element) String() string {
	s := "permessage-deflate"
	for _, part := range []struct {
		name string
		is   bool
		bits int
	}{
		{"server_no_context_takeover", e.serverFresh, anyBits},
		{"client_no_context_takeover", e.clientFresh, anyBits},
		{"server_max_window_bits", e.serverBits != 0, e.serverBits},
		{"client_max_window_bits", e.clientBits != 0, e.clientBits},
	} {
		switch {
		case !part.is:
		case part.bits == anyBits:
			s += "; " + part.name
		default:
			s += fmt.Sprintf("; %s=%d", part.name, part.bits)
		}
	}
	return s
}

func (l offerList) String() string {
	parts := make([]string, len(l))
	for i, e := range l {
		parts[i] = e.String()
	}
	return strings.Join(parts, ", ")
}

// parse reads Sec-WebSocket-Extensions by RFC 7692, section 7.1.
func parse(header string) (offerList, error) {
	if strings.TrimSpace(header) == "" {
		return nil, nil
	}
	var list offerList
	for part := range strings.SplitSeq(header, ",") {
		params := strings.Split(part, ";")
		if strings.TrimSpace(params[0]) != "permessage-deflate" {
			return nil, fmt.Errorf("extension %q", params[0])
		}
		var e element
		seen := map[string]bool{}
		for _, param := range params[1:] {
			name, value, has := strings.Cut(strings.TrimSpace(param), "=")
			value = strings.Trim(value, `"`)
			if seen[name] {
				return nil, fmt.Errorf("%s twice", name)
			}
			seen[name] = true
			bits := anyBits
			if has {
				n, err := strconv.Atoi(value)
				if err != nil || n < 8 || n > 15 || strconv.Itoa(n) != value {
					return nil, fmt.Errorf("%s with value %q", name, value)
				}
				bits = n
			}
			switch {
			case name == "server_no_context_takeover" && !has:
				e.serverFresh = true
			case name == "client_no_context_takeover" && !has:
				e.clientFresh = true
			case name == "server_max_window_bits" && has:
				e.serverBits = bits
			case name == "client_max_window_bits":
				e.clientBits = bits
			default:
				return nil, fmt.Errorf("parameter %q", param)
			}
		}
		list = append(list, e)
	}
	return list, nil
}

// allow reports whether agreed is an answer to one of the offers.
func (l offerList) allow(agreed offerList) bool {
	if len(agreed) != 1 || agreed[0].clientBits == anyBits {
		return false
	}
	a := agreed[0]
	for _, o := range l {
		switch {
		case o.serverFresh && !a.serverFresh:
		case o.serverBits > 0 && (a.serverBits == 0 || a.serverBits > o.serverBits):
		case a.clientBits > 0 && o.clientBits == 0:
		case a.clientBits > 0 && o.clientBits > 0 && a.clientBits > o.clientBits:
		default:
			return true
		}
	}
	return false
}

// choose returns what a server agrees to that wants one of wanted, in this order.
func (l offerList) choose(wanted []Params) (element, bool) {
	for _, p := range wanted {
		for _, o := range l {
			if p.Bits > 0 && o.clientBits == 0 {
				continue
			}
			agreed := element{serverFresh: o.serverFresh, serverBits: o.serverBits, clientFresh: p.Fresh || o.clientFresh, clientBits: p.Bits}
			if o.clientBits > 0 && p.Bits > 0 {
				agreed.clientBits = min(o.clientBits, p.Bits)
			}
			return agreed, true
		}
	}
	return element{}, false
}
