package interop_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// value is JSON whose objects keep the order of their members.
type value struct {
	kind    string // object, array, string, number, boolean or null
	text    string // of a string
	members []member
	items   []value
}

type member struct {
	name string
	value
}

func parseValue(text string) (value, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	v, err := readValue(dec)
	if err == nil && dec.More() {
		err = fmt.Errorf("more than one value")
	}
	return v, err
}

func readValue(dec *json.Decoder) (value, error) {
	token, err := dec.Token()
	if err != nil {
		return value{}, err
	}
	switch token := token.(type) {
	case string:
		return value{kind: "string", text: token}, nil
	case json.Number:
		return value{kind: "number"}, nil
	case bool:
		return value{kind: "boolean"}, nil
	case nil:
		return value{kind: "null"}, nil
	case json.Delim:
		v := value{kind: map[json.Delim]string{'{': "object", '[': "array"}[token]}
		for dec.More() {
			var name json.Token
			if token == '{' {
				if name, err = dec.Token(); err != nil {
					return value{}, err
				}
			}
			item, err := readValue(dec)
			if err != nil {
				return value{}, err
			}
			if token == '{' {
				v.members = append(v.members, member{name.(string), item})
			} else {
				v.items = append(v.items, item)
			}
		}
		_, err := dec.Token()
		return v, err
	}
	return value{}, io.ErrUnexpectedEOF
}

func (v value) member(name string) (value, bool) {
	i := slices.IndexFunc(v.members, func(m member) bool { return m.name == name })
	if i < 0 {
		return value{}, false
	}
	return v.members[i].value, true
}

// shapes describes a message by parts, each of which some recording has to have: the members in their order and of what
// kind they are, each form of argument, and what SuperJSON notes. Ids, paths and data are left out.
func shapes(codec, text string) ([]string, error) {
	v, err := parseValue(text)
	if err != nil {
		return nil, err
	}
	var compacted bytes.Buffer
	if err := json.Compact(&compacted, []byte(text)); err != nil {
		return nil, err
	}
	if compacted.String() != text {
		return nil, errors.New("white space around the JSON or in it")
	}
	if codec == "json" {
		return messageShapes(v), nil
	}
	message, ok := v.member("json")
	if !ok {
		return nil, fmt.Errorf("no SuperJSON: no member json")
	}
	parts := messageShapes(message)
	for i, m := range v.members {
		switch {
		case i == 0 && m.name == "json":
		case i == 1 && m.name == "meta":
			parts = append(parts, noteShapes(m.value)...)
		default:
			parts = append(parts, "SuperJSON with "+m.name)
		}
	}
	return parts, nil
}

func messageShapes(message value) []string {
	if message.kind != "object" {
		return []string{message.kind}
	}
	t, _ := message.member("t")
	op, _ := message.member("op")
	kind := strings.TrimSpace(t.text + " " + op.text)
	whole := kind + " {"
	var parts []string
	for _, m := range message.members {
		form := m.kind
		switch m.name {
		case "t", "op":
			form = m.text
		case "p", "ids":
			form = "strings"
			if m.kind != "array" || slices.ContainsFunc(m.items, func(v value) bool { return v.kind != "string" }) {
				form = "no " + form
			}
		case "a":
			for _, arg := range m.items {
				parts = append(parts, kind+" argument "+argumentShape(arg))
			}
		case "e":
			form = errorShape(m.value)
		case "v":
			form = dataShape(m.value)
		}
		whole += " " + m.name + ":" + form
	}
	return append([]string{whole + " }"}, parts...)
}

// dataShape tells what kkrpc wraps, such as a stream, from any other object.
func dataShape(v value) string {
	if !slices.ContainsFunc(v.members, isMarker) {
		return v.kind
	}
	s := "{"
	for _, m := range v.members {
		form := m.text
		if !isMarker(m) {
			form = dataShape(m.value)
		}
		s += " " + m.name + ":" + form
	}
	return s + " }"
}

// isMarker tells the member whose text says what an object stands for.
func isMarker(m member) bool { return strings.HasPrefix(m.name, "__kkrpc_next_") }

func argumentShape(v value) string {
	if !slices.ContainsFunc(v.members, isMarker) {
		return "bare " + v.kind
	}
	return dataShape(v)
}

// errorShape has the fields of the error as one, whatever their number.
func errorShape(v value) string {
	if v.kind != "object" {
		return v.kind
	}
	s, fields := "{", false
	for _, m := range v.members {
		if m.name == "n" || m.name == "m" || m.name == "s" {
			s += " " + m.name + ":" + m.kind
		} else {
			fields = true
		}
	}
	if fields {
		s += " fields"
	}
	return s + " }"
}

// noteShapes are the annotations of SuperJSON, wherever they are.
func noteShapes(meta value) []string {
	whole := "SuperJSON notes {"
	for _, m := range meta.members {
		whole += " " + m.name + ":" + m.kind
	}
	parts := []string{whole + " }"}
	if values, ok := meta.member("values"); ok {
		parts = append(parts, notes(values)...)
	}
	return parts
}

func notes(v value) (parts []string) {
	switch v.kind {
	case "object": // below paths
		for _, m := range v.members {
			parts = append(parts, notes(m.value)...)
		}
	case "array": // what this value is, and what is in it
		if len(v.items) > 0 {
			parts = append(parts, "SuperJSON note "+noteName(v.items[0]))
		}
		for _, inner := range v.items[min(1, len(v.items)):] {
			parts = append(parts, notes(inner)...)
		}
	}
	return parts
}

func noteName(v value) string {
	if v.kind != "array" {
		return v.text
	}
	var names []string
	for _, item := range v.items {
		names = append(names, item.text)
	}
	return strings.Join(names, " ")
}
