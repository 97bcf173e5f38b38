package replay

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/url"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// describe writes a decoded value in the notation of the recordings (see SPECIFICATION.md), which the servers of the
// recordings used to answer see, and in which the header states what a caller got.
func describe(v any) *node { return (&describer{seen: map[any]int{}}).describe(v) }

type describer struct {
	seen  map[any]int // identity of what has been visited, to its index in order of visiting
	count int
}

func object(pairs ...any) *node {
	n := &node{kind: '{'}
	for i := 0; i < len(pairs); i += 2 {
		v, ok := pairs[i+1].(*node)
		if !ok {
			v = &node{kind: '"', text: pairs[i+1].(string)}
		}
		n.set(pairs[i].(string), v)
	}
	return n
}

// number is a finite number as JavaScript writes it.
func number(f float64) *node {
	if abs := math.Abs(f); f == 0 || abs >= 1e-6 && abs < 1e21 {
		return &node{kind: '0', text: strconv.FormatFloat(f+0, 'f', -1, 64)}
	}
	text := strconv.FormatFloat(f, 'e', -1, 64)
	if n := len(text); text[n-2] == '0' && text[n-4] == 'e' { // Go writes two digits at least
		text = text[:n-2] + text[n-1:]
	}
	return &node{kind: '0', text: text}
}

// visit counts a value that has an identity in JavaScript, and returns a reference when it has been met before.
func (d *describer) visit(v reflect.Value) *node {
	d.count++
	var key any
	switch v.Kind() {
	case reflect.Map, reflect.Pointer:
		key = v.Pointer()
	case reflect.Slice:
		if v.Len() == 0 {
			return nil
		}
		key = [2]uintptr{v.Pointer(), uintptr(v.Len())}
	default:
		return nil
	}
	if i, ok := d.seen[key]; ok {
		d.count--
		return object("$", "ref", "to", number(float64(i)))
	}
	d.seen[key] = d.count - 1
	return nil
}

func (d *describer) describe(v any) *node {
	switch v := v.(type) {
	case nil:
		return &node{kind: 'n'}
	case superjson.UndefinedType:
		return object("$", "undefined")
	case bool:
		return &node{kind: "ft"[b2i(v)]}
	case string:
		return &node{kind: '"', text: v}
	case float64:
		switch {
		case math.IsNaN(v):
			return object("$", "NaN")
		case math.IsInf(v, 1):
			return object("$", "Infinity")
		case math.IsInf(v, -1):
			return object("$", "-Infinity")
		case v == 0 && math.Signbit(v):
			return object("$", "-0")
		}
		return number(v)
	case *big.Int:
		return object("$", "bigint", "v", v.String())
	case func(), *kkrpc.Callback, *kkrpc.Ref:
		return object("$", "function")
	}
	if ref := d.visit(reflect.ValueOf(v)); ref != nil {
		return ref
	}
	switch v := v.(type) {
	case time.Time:
		if text, err := new(superjson.Encoder).Append(nil, "", v); err == nil && !v.IsZero() {
			return object("$", "Date", "v", string(text[1:len(text)-1]))
		}
		return object("$", "Date", "v", "invalid") // which is decoded to the zero time
	case []any:
		n := &node{kind: '['}
		for _, item := range v {
			n.items = append(n.items, d.describe(item))
		}
		return n
	case map[string]any:
		n := &node{kind: '{'}
		for _, key := range slices.Sorted(mapKeys(v)) {
			n.set(key, d.describe(v[key]))
		}
		return n
	case *superjson.Map:
		n := &node{kind: '['}
		for _, e := range v.Entries() {
			n.items = append(n.items, &node{kind: '[', items: []*node{d.describe(e.Key), d.describe(e.Value)}})
		}
		return object("$", "Map", "v", n)
	case *superjson.Set:
		n := &node{kind: '['}
		for _, item := range v.Values() {
			n.items = append(n.items, d.describe(item))
		}
		return object("$", "Set", "v", n)
	case *superjson.RegExp:
		return object("$", "RegExp", "v", v.String())
	case *url.URL:
		return object("$", "URL", "v", v.String())
	case *superjson.Error:
		n := object("$", "Error", "name", v.Name, "message", v.Message)
		if v.Cause != nil {
			n.set("cause", d.describe(v.Cause))
		}
		return n
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Slice {
		name := rv.Type().Name()
		if name == "" {
			name = "Uint8Array"
		}
		n := &node{kind: '['}
		for i := range rv.Len() {
			n.items = append(n.items, number(rv.Index(i).Convert(reflect.TypeFor[float64]()).Float()))
		}
		return object("$", name, "v", n)
	}
	return object("$", fmt.Sprintf("%T", v))
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func mapKeys(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// describeError describes what a call failed with.
func describeError(err error) *node {
	e, ok := errors.AsType[*kkrpc.Error](err)
	if !ok {
		return object("$", "Error", "name", "local", "message", err.Error())
	}
	name := e.Name
	if name == "" {
		name = "Error"
	}
	d := &describer{seen: map[any]int{}}
	n := object("$", "Error", "name", name, "message", e.Message)
	cause, has := e.Fields["cause"]
	switch {
	case e.Cause != nil:
		n.set("cause", describeError(e.Cause))
	case has:
		n.set("cause", d.describe(cause))
	}
	props := &node{kind: '{'}
	keys := make([]string, 0, len(e.Fields))
	for k := range e.Fields {
		if k != "cause" {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	for _, k := range keys {
		props.set(k, d.describe(e.Fields[k]))
	}
	if len(keys) > 0 {
		n.set("props", props)
	}
	return n
}

// comparable returns a description without what the two sides need not agree on: stacks, the undefined cause that the
// JavaScript decoder gives every error, the identity of dates (a time.Time has none), and the spelling of numbers.
func comparable(n *node) *node {
	n = n.clone()
	var visited []*node
	var walk func(n *node) *node
	walk = func(n *node) *node {
		if n == nil {
			return nil
		}
		if n.kind == '0' {
			if f, err := strconv.ParseFloat(n.text, 64); err == nil {
				return number(f)
			}
			return n
		}
		if n.kind != '{' && n.kind != '[' {
			return n
		}
		kind := n.get("$").str()
		switch kind {
		case "undefined", "NaN", "Infinity", "-Infinity", "-0", "bigint", "function", "symbol":
			return n
		case "ref":
			if i, err := strconv.Atoi(n.get("to").text); err == nil && i < len(visited) && visited[i].get("$").str() == "Date" {
				return visited[i]
			}
			return n
		}
		visited = append(visited, n)
		n.remove("hasStack")
		if kind == "Error" && n.at("cause", "$").str() == "undefined" {
			n.remove("cause")
		}
		for i, item := range n.items {
			if kind != "" && item.kind == '[' && n.keys[i] == "v" {
				for j, member := range item.items { // the list inside a Map, a Set or an array of numbers is no value
					item.items[j] = walk(member)
				}
				continue
			}
			n.items[i] = walk(item)
		}
		return n
	}
	return walk(n)
}
