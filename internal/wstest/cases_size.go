package wstest

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// sizes are large messages, whole, in fragments and in pieces, and many small ones.
func sizes(short bool) []Case {
	scale, times := 4, 100 // of what the Autobahn test suite does
	if short {
		scale, times = 64, 20
	}
	const kib, mib = 1 << 10, 1 << 20
	fills := []struct {
		name string
		op   byte
		fill string
	}{{"text", opText, "BAsd7&jh23"}, {"binary", opBinary, "\x00\xfe\x23\xfa\xf0"}}
	var cases []Case
	for i, kind := range fills {
		add := func(section, n int, name string, parts ...any) {
			cases = append(cases, build(fmt.Sprintf("9.%d.%d", section+i, n), kind.name+name, parts...))
		}
		for j, n := range []int{64 * kib, 256 * kib, mib, 4 * mib, 8 * mib, 16 * mib} {
			payload := repeat(kind.fill, n/scale)
			add(1, j+1, fmt.Sprintf(" of %d octets", len(payload)), other(kind.op, payload), echoes(kind.op, payload), clean{})
		}
		payload := repeat("*", 4*mib/scale)
		for j, n := range []int{64, 256, kib, 4 * kib, 16 * kib, 64 * kib, 256 * kib, mib, 4 * mib} {
			add(3, j+1, fmt.Sprintf(" of %d octets in fragments of %d", len(payload), n),
				fragments(kind.op, payload, n), echoes(kind.op, payload), clean{})
		}
		payload = repeat(kind.fill, mib/scale)
		for j, n := range []int{64, 128, 256, 512, kib, 2 * kib} {
			add(5, j+1, fmt.Sprintf(" of %d octets in pieces of %d", len(payload), n),
				other(kind.op, payload), cut(n), echoes(kind.op, payload), clean{})
		}
		for j, n := range []int{0, 16, 64, 256, kib, 4 * kib} {
			payload := repeat(kind.fill, n)
			var parts []any
			for range times {
				parts = append(parts, other(kind.op, payload), echoes(kind.op, payload), pause{})
			}
			add(7, j+1, fmt.Sprintf(" of %d octets, %d times in turn", n, times), append(parts, clean{})...)
		}
	}
	return cases
}

// payloadKinds are what sections 12 and 13 compress.
var payloadKinds = []struct {
	name string
	op   byte
	make func(r *rand.Rand, size int) []byte
}{
	{"JSON", opText, jsonText},
	{"a picture", opBinary, picture},
	{"prose as binary", opBinary, prose},
	{"HTML", opText, markup},
	{"octets that do not compress", opBinary, noise},
}

// shapes are the sizes of messages and of the fragments that they are cut in, 0 for none.
var shapes = [][2]int{
	{16, 0}, {64, 0}, {256, 0}, {1 << 10, 0}, {4 << 10, 0}, {8 << 10, 0}, {16 << 10, 0}, {32 << 10, 0}, {64 << 10, 0}, {128 << 10, 0},
	{8 << 10, 256}, {16 << 10, 256}, {32 << 10, 256}, {64 << 10, 256}, {128 << 10, 256}, {128 << 10, 1 << 10}, {128 << 10, 4 << 10}, {128 << 10, 32 << 10},
}

// exchanged is a case that sends messages of one shape in turn.
func exchanged(id, name string, kind, shape int, short bool, params []Params) Case {
	k, size, fragment := payloadKinds[kind], shapes[shape][0], shapes[shape][1]
	times := 4
	if short {
		times, size = 2, min(size, 16<<10)
	}
	var parts []any
	for _, p := range params {
		parts = append(parts, p)
	}
	for i := range times {
		payload := k.make(rand.New(rand.NewPCG(uint64(size), uint64(i))), size)
		parts = append(parts, step{message: payload, op: k.op, fragment: fragment}, event{k.op, payload}, pause{})
	}
	return build(id, fmt.Sprintf("%s, messages of %d octets in fragments of %d, %s", k.name, size, fragment, name), append(parts, clean{})...)
}

func compressedPayloads(short bool) []Case {
	var cases []Case
	for kind := range payloadKinds {
		for shape := range shapes {
			cases = append(cases, exchanged(fmt.Sprintf("12.%d.%d", kind+1, shape+1), "default parameters", kind, shape, short, []Params{{}}))
		}
	}
	return cases
}

func compressedParameters(short bool) []Case {
	var cases []Case
	for i, params := range [][]Params{
		{{}},
		{{Fresh: true}},
		{{Bits: 9}},
		{{Bits: 15}},
		{{Fresh: true, Bits: 9}},
		{{Fresh: true, Bits: 15}},
		{{Fresh: true, Bits: 9}, {Fresh: true}, {}},
	} {
		for shape := range shapes {
			cases = append(cases, exchanged(fmt.Sprintf("13.%d.%d", i+1, shape+1), fmt.Sprintf("parameters %+v", params), 0, shape, short, params))
		}
	}
	return cases
}

func jsonText(r *rand.Rand, size int) []byte {
	var b strings.Builder
	for b.Len() < size {
		item, _ := json.Marshal(map[string]any{"id": r.IntN(1000), "name": words[r.IntN(len(words))], "score": r.Float64(), "tags": []string{"new", "user"}})
		b.Write(item)
	}
	return []byte(b.String()[:size])
}

var words = strings.Fields("a case sends what an endpoint has to send back and looks at how it does that when the text is cut in pieces")

func prose(r *rand.Rand, size int) []byte {
	var b strings.Builder
	for b.Len() < size {
		b.WriteString(words[r.IntN(len(words))])
		b.WriteByte(" \n"[r.IntN(8)/7])
	}
	return []byte(b.String()[:size])
}

func markup(r *rand.Rand, size int) []byte {
	var b strings.Builder
	for b.Len() < size {
		fmt.Fprintf(&b, "<li class=%q><a href=\"/%d\">%s</a></li>\n", words[r.IntN(len(words))], r.IntN(100), words[r.IntN(len(words))])
	}
	return []byte(b.String()[:size])
}

func picture(r *rand.Rand, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(128 + 100*math.Sin(float64(i%512)/80)*math.Cos(float64(i/512)/50) + float64(r.IntN(4)))
	}
	b[0] = 0xff
	return b
}

func noise(r *rand.Rand, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(r.IntN(256))
	}
	b[0] = 0xff
	return b
}
