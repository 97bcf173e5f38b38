package replay

import (
	"strings"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// value is what stands at path in m.
func (m message) value(n *node, path ...string) superjson.Value {
	if n == nil {
		return superjson.Value{}
	}
	v := superjson.Value{JSON: []byte(n.json())}
	if m.meta != nil {
		if meta, err := superjson.ParseMeta([]byte(m.meta.json())); err == nil {
			v.Meta = meta.Sub(path...)
		}
	}
	return v
}

// sharedArguments is all arguments as one value when they share something, nil otherwise.
func (m message) sharedArguments() *superjson.Value {
	shared := m.meta.get("referentialEqualities")
	if shared == nil {
		return nil
	}
	list := &node{kind: '['}
	prefix, suffix := "args.", ""
	if !m.classic {
		prefix, suffix = "a.", ".v"
	}
	rebase := func(path string) string {
		rest := strings.TrimPrefix(path, prefix)
		index, rest, _ := strings.Cut(rest, ".")
		if suffix != "" {
			rest = strings.TrimPrefix(strings.TrimPrefix("."+rest, suffix), ".")
		}
		if rest == "" {
			return index
		}
		return index + "." + rest
	}
	for _, arg := range m.args() {
		if suffix != "" {
			arg = arg.get("v")
		}
		list.items = append(list.items, arg)
	}
	meta := &node{kind: '{'}
	for _, key := range m.meta.keys {
		part := m.meta.get(key).clone()
		if key != "v" {
			for i, path := range part.keys {
				part.keys[i] = rebase(path)
				if key == "referentialEqualities" {
					for _, other := range part.items[i].items {
						other.text = rebase(other.text)
					}
				}
			}
		}
		meta.set(key, part)
	}
	parsed, err := superjson.ParseMeta([]byte(meta.json()))
	if err != nil {
		return nil
	}
	return &superjson.Value{JSON: []byte(list.json()), Meta: parsed}
}
