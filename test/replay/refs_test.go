package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// refID is the id in an object that stands for a reference.
func refID(n *node) (id string, ok bool) {
	if n == nil || n.kind != '{' || n.get(compactRef).json() != "true" {
		return "", false
	}
	return n.get("id").str(), true
}

// pairRefs learns the ids of references that the channel under test made up where the recording has its own.
func pairRefs(ids *idPairs, recorded, actual *node) error {
	if recorded == nil || actual == nil || recorded.kind != actual.kind {
		return nil
	}
	if id, ok := refID(recorded); ok {
		other, ok := refID(actual)
		if !ok || other == id { // the peer's own
			return nil
		}
		return ids.pair(id, other)
	}
	for i, item := range recorded.items {
		other := (*node)(nil)
		switch {
		case recorded.kind == '{':
			other = actual.get(recorded.keys[i])
		case i < len(actual.items):
			other = actual.items[i]
		}
		if err := pairRefs(ids, item, other); err != nil {
			return err
		}
	}
	return nil
}

// renameRefs gives the references in what the channel wrote the ids of the recording, also in the texts of errors.
func (p *idPairs) renameRefs(n *node) {
	if n == nil {
		return
	}
	if n.kind == '"' {
		for actual, recorded := range p.recorded {
			if len(actual) > 20 { // the others count calls and callbacks
				n.text = strings.ReplaceAll(n.text, actual, recorded)
			}
		}
	}
	for _, item := range n.items {
		p.renameRefs(item)
	}
}

// clientRefs are the references that the client of a recording has, by recorded id.
type clientRefs struct {
	own    map[string]*kkrpc.Ref
	unsent []*kkrpc.Ref
	peer   map[string]*kkrpc.Ref
	values map[string]any // results with references, by the id of the request
}

func newClientRefs() *clientRefs {
	return &clientRefs{own: map[string]*kkrpc.Ref{}, peer: map[string]*kkrpc.Ref{}, values: map[string]any{}, unsent: passed()}
}

// answeredByRef reports whether the recorded answer to the request has a reference in its value.
func (c *clientReplay) answeredByRef(id string) bool {
	for _, f := range c.r.frames {
		if m, ok := parseMessage(f.text); ok && !f.toServer && m.kind() == "response" && m.id() == id {
			return strings.Contains(m.body.get("v").json(), compactRef)
		}
	}
	return false
}

// call makes a call whose result has a reference in it. What it returns is only good to say that there was a result: the
// references are compared by answered.
func (c *clientRefs) call(ctx context.Context, ch *kkrpc.Channel, id, path string, args []any) ([]byte, error) {
	v, err := kkrpc.Call[any](ctx, ch, path, args...)
	c.values[id] = v
	return []byte("null"), err
}

// answered compares what a call returned with the references in the recorded answer.
func (c *clientRefs) answered(call *reissued, m message) error {
	select {
	case <-call.done:
	default:
		return nil
	}
	if failure, ok := errors.AsType[*kkrpc.Error](call.err); ok {
		for key, v := range failure.Fields {
			if _, isRef := v.(*kkrpc.Ref); !isRef {
				continue
			}
			if err := c.learn(m.body.at("e", key), v); err != nil {
				return err
			}
		}
	}
	v, ok := c.values[call.id]
	if !ok || call.err != nil {
		return nil
	}
	call.result.JSON = []byte(m.body.get("v").json())
	return c.learn(m.body.get("v"), v)
}

// argument returns what the recorded client passed where the recording has v.
func (c *clientRefs) argument(v superjson.Value) any {
	if !strings.Contains(string(v.JSON), compactRef) {
		return v
	}
	n, err := parseJSON(string(v.JSON))
	if err != nil {
		return v
	}
	return c.restore(n)
}

func (c *clientRefs) restore(n *node) any {
	if id, ok := refID(n); ok {
		if n.get("p") != nil || len(id) < 20 {
			return superjson.Value{JSON: []byte(n.json())} // a part, for which Go has no handle, or what only looks like one
		}
		if ref := c.peer[id]; ref != nil {
			return ref
		}
		if c.own[id] == nil {
			c.own[id], c.unsent = c.unsent[0], c.unsent[1:]
		}
		return c.own[id]
	}
	switch n.kind {
	case '{':
		m := map[string]any{}
		for i, key := range n.keys {
			m[key] = c.restore(n.items[i])
		}
		return m
	case '[':
		var list []any
		for _, item := range n.items {
			list = append(list, c.restore(item))
		}
		return list
	}
	return superjson.Value{JSON: []byte(n.json())}
}

// learn compares the references in got, a decoded value, with those that the recording has in their place.
func (c *clientRefs) learn(n *node, got any) error {
	id, isRef := refID(n)
	ref, gotRef := got.(*kkrpc.Ref)
	switch {
	case !isRef && !gotRef:
	case !isRef || !gotRef:
		return fmt.Errorf("%T for %s", got, n.json())
	case c.own[id] != nil:
		if ref != c.own[id] {
			return fmt.Errorf("%s did not come back as what was sent", n.json())
		}
	case c.peer[id] == nil:
		for _, other := range slices.Sorted(maps.Keys(c.peer)) {
			if c.peer[other] == ref {
				return fmt.Errorf("%s and %s are one reference", other, id)
			}
		}
		c.peer[id] = ref
	case c.peer[id] != ref:
		return fmt.Errorf("%s is another reference than before", id)
	}
	switch v := got.(type) {
	case map[string]any:
		for key, item := range v {
			if err := c.learn(n.get(key), item); err != nil {
				return err
			}
		}
	case []any:
		for i, item := range v {
			if i >= len(n.array()) {
				return fmt.Errorf("%d items for %s", len(v), n.json())
			}
			if err := c.learn(n.array()[i], item); err != nil {
				return err
			}
		}
	case *kkrpc.Ref:
	default:
		return sameNode("value", n, describe(got))
	}
	return nil
}

// perform does the recorded operation on a reference of the peer.
func (c *clientRefs) perform(ctx context.Context, m message, args []any, value any) (result superjson.Value, err error) {
	p := m.body.get("p").array()
	ref := c.peer[p[0].str()]
	if ref == nil {
		return result, fmt.Errorf("no reference %s", p[0].str())
	}
	path := joinPath(p[2:])
	switch action := p[1].str(); action {
	case "apply":
		err = ref.Apply(ctx, &result, args...)
	case "call":
		result, err = kkrpc.Call[superjson.Value](ctx, ref, path, args...)
	case "get":
		result, err = kkrpc.Get[superjson.Value](ctx, ref, path)
	case "set":
		err = kkrpc.Set(ctx, ref, path, value)
		result.JSON = []byte("true")
	case "release":
		err = ref.Release(ctx)
		result.JSON = []byte("true")
	default:
		err = fmt.Errorf("action %s", action)
	}
	return result, err
}
