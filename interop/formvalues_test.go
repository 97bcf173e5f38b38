package interop

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// formGenerator makes random values for structs with rules, most of them near what the rules divide.
type formGenerator struct {
	*rand.Rand
	wild float64 // how often a value has another type
}

func pick[T any](g *formGenerator, list ...T) T { return list[g.IntN(len(list))] }

// value is the JSON text of a value for a field of type t.
func (g *formGenerator) value(t reflect.Type, depth int) string {
	switch isNumbers := t.Kind() == reflect.Slice && t.Elem().Kind() <= reflect.Float64; {
	case g.Float64() >= g.wild:
	case isNumbers: // which the server also reads from what typed arrays become, though their type has no such values
		return pick(g, `"x"`, `1.5`, `true`, `[null]`, `["x"]`)
	default:
		return pick(g, `null`, `"x"`, `1.5`, `true`, `[]`, `{}`, `[null]`, `{"a":null}`, `-1e9`, `9007199254740993`)
	}
	switch t.Kind() {
	case reflect.Pointer:
		if depth > 3 || g.IntN(4) == 0 {
			return "null"
		}
		return g.value(t.Elem(), depth)
	case reflect.Bool:
		return strconv.FormatBool(g.IntN(3) > 0)
	case reflect.Int, reflect.Int32, reflect.Int64:
		return strconv.Itoa(pick(g, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 16, 17, -1, -3, -4))
	case reflect.Int8:
		return strconv.Itoa(pick(g, 0, 1, -2, 3, 4, -1, 127, -128, 128))
	case reflect.Uint8, reflect.Uint16:
		return strconv.Itoa(pick(g, 0, 1, 3, 4, 7, 200, 201, 255, 256, -1))
	case reflect.Float32, reflect.Float64:
		return pick(g, "0", "-0", "1", "0.1", "0.10000000149", "0.100000002", "-0.5", "-0.51", "1e3", "1000.5", "3e-50", "0.999", "7")
	case reflect.String:
		return jsonText(pick(g, "", "", "a", "a", "b", "ab", "Ab1", "abc", "abcd", "abcde", "open", "closed", "x@y.de", "ü", "0", "nil",
			"😀😀😀", "😀😀😀😀"))
	case reflect.Slice, reflect.Array:
		return g.list(t, depth)
	case reflect.Map:
		return g.members(t, depth)
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return jsonText(pick(g, "0001-01-01T00:00:00Z", "2024-02-29", "2024-02-29T12:00:00Z", "2024-02-29T13:00:00.001+01:00",
				"2024-02-29T9:00:00Z", "2999-12-31T23:59:59.999Z", "2023-02-29", "2024-02-29T24:00:00Z", "+012024-01-01",
				"-000001-01-01T00:00:00Z", "2024-02-29T12:00:00,5Z", "tomorrow", ""))
		}
		return g.object(t, depth)
	}
	return pick(g, `null`, `1`, `"x"`, `{"a":[]}`) // of an any
}

func (g *formGenerator) list(t reflect.Type, depth int) string {
	if t.Elem().Kind() == reflect.Uint8 {
		return pick(g, `""`, `"AQ=="`, `"AQI="`, `"AQID"`, `"AQIDBA=="`, `"AQ"`, `"?"`, `null`)
	}
	n := g.IntN(4)
	if t.Kind() == reflect.Array {
		n = pick(g, t.Len(), t.Len(), t.Len(), t.Len()+1, 0)
	} else if depth > 2 {
		n = 0
	} else if g.IntN(8) == 0 {
		return "null"
	}
	var list []string
	for range n {
		list = append(list, g.value(t.Elem(), depth+1))
	}
	return "[" + strings.Join(list, ",") + "]"
}

func (g *formGenerator) members(t reflect.Type, depth int) string {
	if g.IntN(8) == 0 {
		return "null"
	}
	names := []string{"a", "b", "", "a1", "open", "closed", "x]"}
	if t.Key().Kind() == reflect.Int8 {
		names = []string{"1", "2", "-3", "127", "128", "x", "3.5"}
	}
	var list []string
	for _, i := range g.Perm(len(names))[:g.IntN(3)] {
		list = append(list, jsonText(names[i])+":"+g.value(t.Elem(), depth+1))
	}
	return "{" + strings.Join(list, ",") + "}"
}

func (g *formGenerator) object(t reflect.Type, depth int) string {
	var list []string
	for f := range superjson.Fields(t) {
		if g.IntN(12) == 0 || depth > 3 && f.Type.Kind() == reflect.Pointer {
			continue
		}
		text := g.value(f.Type, depth+1)
		if f.Quoted && text != "null" {
			text = jsonText(pick(g, text, text, text, "", "x", "+7", "1.5"))
		}
		list = append(list, jsonText(f.Name)+":"+text)
	}
	return "{" + strings.Join(list, ",") + "}"
}

// goodForms are values that the server accepts.
var goodForms = map[string]string{
	"Numbers": `{"int":1,"small":0,"unsigned":1,"wide":0,"float":1,"single":0,"level":3,"quoted":"6","yes":true,"no":false,"pointer":1,"bare":"a"}`,
	"Lists": `{"tags":["a"],"zero":[],"nil":null,"exact":[],"items":[],"pointers":[],"loose":[],"nested":[],"words":[],"pair":["a","b"],
		"bytes":"","must":"AQ==","map":{"a":{"key":"a","note":""}},"keys":{},"numbered":{},"values":{},"deep":{}}`,
	"Tree": `{"id":"a","again":"a","label":"a","children":[],"item":{"key":"a","note":""},"must":{"key":"a","note":""},"skipped":{"key":"","note":""},
		"only":{"key":"1","note":""},"pointer":{"key":"a","note":""},"inline":{"a":1,"b":""},"named":{}}`,
	"Fields": `{"password":"ab","confirm":"ab","low":1,"high":2,"most":0,"least":0,"from":"2024-02-29","until":"2999-12-31T23:59:59.999Z","status":"open",
		"user":"","if":"a","with":"b","withAll":[],"without":1,"none":true,"excluded":"","count":[],"nothing":""}`,
	"Mixed": `{"any":1,"plain":{"a":1},"plains":{},"brands":{},"dates":[]}`,
}

// changed is a good value of which some members are others.
func (g *formGenerator) changed(form string) string {
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(goodForms[form]), &members); err != nil {
		panic(err) // of the table above
	}
	fields := slices.Collect(superjson.Fields(formTypes[form]))
	for range g.IntN(4) {
		f := fields[g.IntN(len(fields))]
		if text := g.value(f.Type, 1); !f.Quoted || text == "null" {
			members[f.Name] = json.RawMessage(text)
		} else {
			members[f.Name] = json.RawMessage(jsonText(text))
		}
	}
	return jsonText(members)
}

// isTyped reports whether a value has every member that its type in TypeScript has, and no null where that has none. Zod
// takes only these.
func isTyped(raw json.RawMessage, t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer:
		return string(raw) == "null" || isTyped(raw, t.Elem())
	case reflect.Slice, reflect.Array, reflect.Map:
		if string(raw) == "null" {
			return false
		}
		var list []json.RawMessage
		var members map[string]json.RawMessage
		if json.Unmarshal(raw, &list) != nil && json.Unmarshal(raw, &members) != nil {
			return true // of another type, which all refuse
		}
		for _, part := range members {
			list = append(list, part)
		}
		for _, part := range list {
			if !isTyped(part, t.Elem()) {
				return false
			}
		}
		for name := range members {
			if t.Kind() == reflect.Map && t.Key().Name() == "Status" && name != "open" && name != "closed" {
				return false
			}
		}
	case reflect.String:
		return t.Name() != "Status" || string(raw) == `"open"` || string(raw) == `"closed"`
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return true
		}
		var members map[string]json.RawMessage
		if string(raw) == "null" || json.Unmarshal(raw, &members) != nil {
			return true
		}
		for f := range superjson.Fields(t) {
			part, ok := members[f.Name]
			switch {
			case !ok && !f.Optional && f.Type.Kind() != reflect.Pointer:
				return false
			case ok && !isTyped(part, f.Type):
				return false
			}
		}
	}
	return true
}
