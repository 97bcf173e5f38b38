package replay

import (
	"context"
	"errors"
	"fmt"

	"github.com/kkrpc-go/kkrpc"
)

// checkOutcomes compares what the calls returned with what the recording says its caller saw, where the header lists
// one result for each request, and otherwise with the response on the wire.
func (c *clientReplay) checkOutcomes() {
	for i, call := range c.calls {
		number := call.response
		if number == 0 {
			number = call.number
		}
		if err := c.checkOutcome(call, c.want(i)); err != nil {
			c.bad.add(number, err)
		}
	}
}

// checkOutcome compares one call with its entry in the header; want is nil when there is none.
func (c *clientReplay) checkOutcome(call *reissued, want *node) error {
	finished := false
	select {
	case <-call.done:
		finished = true
	default:
	}
	switch {
	case call.response == 0 && c.r.closedBy == "":
		if finished {
			return fmt.Errorf("the call ended without an answer: %s, %v", call.result.JSON, call.err)
		}
		return nil
	case call.response == 0 || !finished:
		if !errors.Is(call.err, kkrpc.ErrClosed) {
			return fmt.Errorf("the call was not ended by the close: %v", call.err)
		}
		return nil
	}
	if call.stream != nil {
		return c.checkStream(call, want)
	}
	text := c.r.frames[call.response-1].text
	m, _ := parseMessage(text)
	if want != nil && want.get("pending") == nil {
		return sameOutcome(m, call, want)
	}
	return sameAsFrame(m, call)
}

// sameAsFrame compares what a call returned with the response on the wire.
func sameAsFrame(m message, call *reissued) error {
	e, v, nameKey, messageKey := m.body.get("e"), m.body.get("v"), "n", "m"
	if m.classic {
		e, v, nameKey, messageKey = m.body.at("args", "error"), m.body.at("args", "result"), "name", "message"
	}
	if failed := truthy(e); failed != (call.err != nil) {
		return fmt.Errorf("the call returned %s, %v for %s", call.result.JSON, call.err, m.body.json())
	} else if failed {
		got := describeError(call.err)
		name, text := e.get(nameKey), e.get(messageKey)
		if e.kind == '"' {
			name, text = &node{kind: '"', text: "Error"}, e
		}
		return errors.Join(sameNode("name", name, got.get("name")), sameNode("message", text, got.get("message")))
	}
	if v == nil || call.result.JSON == nil {
		if v != nil && v.kind != 'n' || len(call.result.JSON) > 0 {
			return fmt.Errorf("the call returned %q, want %s", call.result.JSON, v.json())
		}
		return nil
	}
	got, err := parseJSON(string(call.result.JSON))
	if err != nil {
		return err
	}
	return sameNode("result", v, got)
}

func truthy(n *node) bool {
	return n != nil && n.kind != 'n' && n.kind != 'f' && (n.kind != '"' || n.text != "")
}

func sameOutcome(m message, call *reissued, want *node) error {
	if rejected := want.get("rejected"); rejected != nil {
		if call.err == nil {
			return fmt.Errorf("the call returned %s, want the error %s", call.result.JSON, rejected.json())
		}
		if rejected.get("name").str() == "RPCTimeoutError" {
			if !errors.Is(call.err, context.DeadlineExceeded) {
				return fmt.Errorf("the call failed with %w, want a timeout", call.err)
			}
			return nil
		}
		return sameNode("error", comparable(rejected), comparable(describeError(call.err)))
	}
	if call.err != nil {
		return fmt.Errorf("the call failed: %w, want %s", call.err, want.json())
	}
	resolved := want.get("resolved")
	if raw, err := parseJSON(string(call.result.JSON)); err == nil && call.result.Meta == nil && sameNode("", resolved, raw) == nil {
		return nil // as it was written, lone surrogates included
	}
	got, err := m.decode(call.result)
	if err != nil {
		return err
	}
	return sameNode("result", comparable(resolved), comparable(describe(got)))
}
