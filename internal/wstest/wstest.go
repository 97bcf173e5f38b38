// Package wstest holds cases that every WebSocket endpoint must pass, and a peer that plays them. The sections up to 13 cover
// what the Autobahn test suite covers, by its numbers. Section 14 and the handshakes are ours.
//
// The endpoint under test sends each message back. If it is a server, the peer dials it; if it is a client, the peer listens:
//
//	wstest.TestServer(t, wstest.Server{Dial: dial, Exceptions: exceptions})
//	wstest.TestClient(t, wstest.Client{Connect: connect, Exceptions: exceptions})
//
// The peer has its own frames, handshakes and compression parameters. It shares no code with the endpoints but
// compress/flate. It checks each frame that it receives: its mask, its length, its reserved bits, and that none follows a
// close frame.
//
// An endpoint may differ from a case for a good reason. An [Exception] names it, and says what is seen instead. An
// exception that is not needed fails the test.
package wstest

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
)

// Server is an endpoint that peers dial.
type Server struct {
	// Dial opens a connection, before the handshake. The server agrees to permessage-deflate.
	Dial func() (net.Conn, error)
	// Exceptions are what this endpoint does otherwise.
	Exceptions []Exception
	// Octets sends everything one octet at a time, but for cases over 4 KiB.
	Octets bool
}

// Client is an endpoint that dials.
type Client struct {
	// Connect has the client connect to a ws:// address and echo, offering permessage-deflate if compress is set.
	// It may return before that is done.
	Connect func(url string, compress bool) error
	// Exceptions are what this endpoint does otherwise.
	Exceptions []Exception
	// Octets sends everything one octet at a time, but for cases over 4 KiB.
	Octets bool
}

// TestServer runs all cases against a server. Each is a subtest, named by section and number.
func TestServer(t *testing.T, s Server) {
	run(t, s.Exceptions, s.Octets, func(c *Case) (*peer, error) {
		nc, err := s.Dial()
		if err != nil {
			return nil, err
		}
		return dialled(nc, c)
	})
	for i, offer := range offers {
		handshake(t, fmt.Sprintf("0.1.%d", i+1), offer.name, s.Exceptions, func() error {
			nc, err := s.Dial()
			if err != nil {
				return err
			}
			defer nc.Close()
			return offer.try(nc)
		})
	}
}

// TestClient runs all cases against a client. Each is a subtest, named by section and number.
func TestClient(t *testing.T, cl Client) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	accept := func(compress bool) (net.Conn, error) {
		if err := cl.Connect("ws://"+ln.Addr().String()+"/", compress); err != nil {
			return nil, err
		}
		return ln.Accept()
	}
	run(t, cl.Exceptions, cl.Octets, func(c *Case) (*peer, error) {
		nc, err := accept(c.Compress != nil)
		if err != nil {
			return nil, err
		}
		return accepted(nc, c)
	})
	for i, answer := range answers {
		handshake(t, fmt.Sprintf("0.2.%d", i+1), answer.name, cl.Exceptions, func() error {
			nc, err := accept(true)
			if err != nil {
				return err
			}
			defer nc.Close()
			return answer.try(nc)
		})
	}
}

// handshake tries a handshake, which fails where there is an exception.
func handshake(t *testing.T, id, name string, exceptions []Exception, try func() error) {
	t.Run("0 handshake/"+id, func(t *testing.T) {
		excused := slices.ContainsFunc(exceptions, func(e Exception) bool { return e.applies(id) })
		switch err := try(); {
		case err != nil && !excused:
			t.Errorf("%s: %v", name, err)
		case err == nil && excused:
			t.Errorf("%s: passes without its exception", name)
		}
	})
}

// run plays the cases on connections that connect returns.
func run(t *testing.T, exceptions []Exception, octets bool, connect func(*Case) (*peer, error)) {
	used := make([]int, len(exceptions))
	for _, section := range sections(testing.Short()) {
		t.Run(section.name, func(t *testing.T) {
			for _, c := range section.cases {
				if octets && c.large() {
					continue
				}
				t.Run(c.ID, func(t *testing.T) {
					if octets {
						c = c.inOctets()
					}
					strict := c.Outcome
					excused := false
					for i, e := range exceptions {
						if e.applies(c.ID) {
							e.Change(&c)
							used[i]++
							excused = excused || !e.Sometimes
						}
					}
					p, err := connect(&c)
					if err != nil {
						t.Fatalf("%s: %v", c.Name, err)
					}
					seen := p.play(&c)
					if err := c.Outcome.check(seen); err != nil {
						t.Errorf("%s: %v", c.Name, err)
					} else if excused && strict.check(seen) == nil {
						t.Errorf("%s: passes without its exception", c.Name)
					}
				})
			}
		})
	}
	for i, e := range exceptions {
		if used[i] == 0 && !strings.HasPrefix(e.Cases[0], "0.") {
			t.Errorf("no case has the exception %q", e.Reason)
		}
	}
}

// Exception is what an endpoint does otherwise than a case says, and why it may.
type Exception struct {
	Reason string
	// Cases are the numbers of cases, such as "2.10", or of sections, such as "9.2.".
	Cases []string
	// Change makes the outcome of a case what is seen instead. A handshake, 0.1. and 0.2., has none: it fails.
	Change func(*Case)
	// Sometimes is set if the case may also go by the book, as timing decides.
	Sometimes bool
}

func (e Exception) applies(id string) bool {
	for _, name := range e.Cases {
		if id == name || strings.HasSuffix(name, ".") && strings.HasPrefix(id, name) {
			return true
		}
	}
	return false
}

// MergedPongs lets one pong answer several pings, as RFC 6455 does in section 5.5.3: the last one must be answered.
func MergedPongs(c *Case) { c.Outcome.merged = true }

// TextEchoes lets the endpoint send binary messages back as text.
func TextEchoes(c *Case) { c.Outcome.texts = true }

// Takes lets the endpoint take for a message what a case says to refuse.
func Takes(c *Case) {
	c.Outcome = Outcome{ends: true, codes: []int{1000}}
	for _, s := range c.steps {
		for _, f := range s.frames {
			c.Outcome.events = append(c.Outcome.events, echoes(f.op, string(f.payload)))
		}
	}
}

// Answers returns a change to an endpoint that sends text back for what a case says to refuse.
func Answers(text string) func(*Case) {
	return func(c *Case) {
		c.Outcome = Outcome{events: []event{echoes(opText, text)}, ends: true, codes: []int{1000}}
	}
}

// LateUTF8 lets the endpoint look at text when the message is complete, so that it answers a ping before.
func LateUTF8(c *Case) { c.Outcome.events = append(c.Outcome.events, echoes(opPing, "found?")) }

// Fails returns a change to an endpoint that sends nothing back and closes with code.
func Fails(code int) func(*Case) {
	return func(c *Case) { c.Outcome = Outcome{codes: []int{code}} }
}

// Plain lets the endpoint decline compression.
func Plain(c *Case) { c.Outcome.plain = true }

// Inputs returns what clients send in the cases, as seeds for fuzzing. compressed tells for each whether permessage-deflate
// was agreed.
func Inputs() (inputs [][]byte, compressed []bool) {
	for _, section := range sections(true) {
		for _, c := range section.cases {
			if c.large() {
				continue
			}
			p := &peer{client: true}
			if c.Compress != nil {
				p.out = &compression{fresh: true}
			}
			var b []byte
			for _, s := range c.steps {
				frames := s.frames
				if s.message != nil {
					frames = p.messageFrames(s)
				}
				for _, f := range frames {
					b = f.append(b, true, 0x01020304)
				}
			}
			inputs, compressed = append(inputs, b), append(compressed, c.Compress != nil)
		}
	}
	return inputs, compressed
}

// Summary is how many cases each section has, in one line.
func Summary() string {
	var b strings.Builder
	total := 0
	for _, s := range sections(true) {
		fmt.Fprintf(&b, "%s: %d, ", s.name, len(s.cases))
		total += len(s.cases)
	}
	fmt.Fprintf(&b, "together %d", total)
	return b.String()
}
