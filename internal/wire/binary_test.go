package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

const testMark = "abcdefghij-_0189"

// binaryFrame is the frame of docs/protocol.md, written by hand: a text of 41 bytes with three bytes and two floats.
func binaryFrame() []byte {
	var f []byte
	f = append(f, 0xB1, 0, 0, 0, 2, 0, 0, 0, 41, 0, 0, 0, 0, 0, 0, 0)
	f = append(f, testMark...)
	f = append(f, 3, 0, 0, 0, 0, 0, 0, 0) // part 0: 3 bytes, Uint8Array
	f = append(f, 8, 0, 0, 0, 7, 0, 0, 0) // part 1: 8 bytes, Float32Array
	f = append(f, `["`+testMark+`0","`+testMark+`1"]`...)
	f = append(f, 0, 0, 0, 0, 0, 0, 0)
	f = append(f, 7, 8, 9, 0, 0, 0, 0, 0)
	return append(f, 0, 0, 0xC0, 0x3F, 0, 0, 0, 0xC0) // 1.5, -2
}

func TestBinaryFrame(t *testing.T) {
	text, parts, err := wire.OpenBinary(binaryFrame())
	if err != nil {
		t.Fatal(err)
	}
	var got []any
	var none *superjson.Meta
	if err := superjson.Decode(superjson.ModeJSON, text, none.WithParts(parts), &got); err != nil {
		t.Fatal(err)
	}
	want := []any{[]byte{7, 8, 9}, superjson.Float32Array{1.5, -2}}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}

	e := superjson.NewEncoder(superjson.ModeJSON)
	e.Beside(func() string { return testMark })
	written, err := e.Append(nil, "", want)
	if err != nil {
		t.Fatal(err)
	}
	mark, list := e.Parts()
	if frame := wire.AppendBinary(nil, written, mark, list); !bytes.Equal(frame, binaryFrame()) || len(frame) != wire.BinarySize(written, list) {
		t.Errorf("wrote %q", frame)
	}
}

func TestMalformedBinaryFrame(t *testing.T) {
	set := func(at int, values ...byte) func([]byte) []byte {
		return func(f []byte) []byte { return slices.Replace(f, at, at+len(values), values...) }
	}
	for _, row := range []struct {
		name, want string
		change     func(frame []byte) []byte
	}{
		{"empty", "32 bytes", func([]byte) []byte { return nil }},
		{"short head", "32 bytes", func(f []byte) []byte { return f[:31] }},
		{"other first byte", "0xB1", set(0, 0xB2)},
		{"version", "are not 0", set(1, 1)},
		{"reserved", "are not 0", set(15, 1)},
		{"no parts", "0 parts", set(4, 0)},
		{"too many parts", "65537 parts", set(4, 1, 0, 1, 0)},
		{"all parts", "4294967295 parts", set(4, 0xff, 0xff, 0xff, 0xff)},
		{"heads beyond the end", "before its text", set(4, 0xff, 0xff, 0, 0)},
		{"text beyond the end", "before its text", set(8, 0xff, 0xff, 0xff, 0xff)},
		{"mark with a quote", "the mark", set(16, '"')},
		{"mark of other bytes", "the mark", set(16, 0xff)},
		{"unknown type", "PartType(13)", set(36, 13)},
		{"half an element", "part 1: 9 bytes are no Float32Array", set(40, 9)},
		{"reserved of a part", "part 0: bytes 5 to 7", set(37, 1)},
		{"part beyond the end", "before part 1", set(40, 12)},
		{"largest part", "before part 1", set(40, 0xfc, 0xff, 0xff, 0xff)},
		{"padding", "before part 0 are not 0", set(91, 1)},
		{"padding between parts", "before part 1 are not 0", set(99, 1)},
		{"cut", "before part 1", func(f []byte) []byte { return f[:len(f)-1] }},
		{"bytes at the end", "1 bytes follow", func(f []byte) []byte { return append(f, 0) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, _, err := wire.OpenBinary(row.change(binaryFrame()))
			if !errors.Is(err, wire.ErrBinary) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

func TestReservedBytesOfBinaryFrame(t *testing.T) {
	for _, at := range []int{1, 2, 3, 12, 13, 14, 15, 37, 38, 39, 45, 46, 47} {
		frame := binaryFrame()
		frame[at] = 1
		if _, _, err := wire.OpenBinary(frame); !errors.Is(err, wire.ErrBinary) {
			t.Errorf("byte %d is not 0: %v", at, err)
		}
	}
}

// As many parts as the protocol allows are read, and count as memory.
func TestMostParts(t *testing.T) {
	list := make([]superjson.Part, superjson.MaxParts)
	frame := wire.AppendBinary(nil, []byte(`"`+testMark+`65535"`), testMark, list)
	text, parts, err := wire.OpenBinary(frame)
	if err != nil {
		t.Fatal(err)
	}
	var none *superjson.Meta
	var got []byte
	if err := superjson.Decode(superjson.ModeJSON, text, none.WithParts(parts), &got); err != nil || got == nil {
		t.Errorf("the last part: %v, %v", got, err)
	}
	if n := none.WithParts(parts).Cost(); n < superjson.MaxParts {
		t.Errorf("%d parts cost %d bytes", superjson.MaxParts, n)
	}
}

func FuzzOpenBinary(f *testing.F) {
	f.Add(binaryFrame())
	f.Add(binaryFrame()[:40])
	f.Fuzz(func(t *testing.T, frame []byte) {
		text, parts, err := wire.OpenBinary(frame)
		if err != nil {
			if !errors.Is(err, wire.ErrBinary) || text != nil || parts != nil {
				t.Fatalf("%q, %v, %v", text, parts, err)
			}
			return
		}
		// The head alone says where everything is.
		size := 32 + 8*int(binary.LittleEndian.Uint32(frame[4:])) + len(text)
		for at := 32; at < 32+8*int(binary.LittleEndian.Uint32(frame[4:])); at += 8 {
			size = (size+7)/8*8 + int(binary.LittleEndian.Uint32(frame[at:]))
		}
		if size != len(frame) {
			t.Fatalf("a frame of %d bytes was read where its head says %d", len(frame), size)
		}
		var none *superjson.Meta
		for _, mode := range []superjson.Mode{superjson.ModeJSON, superjson.ModeTaggedJSON, superjson.ModeSuperJSON} {
			var tree any
			var kept superjson.Value
			var list []struct{ Data []byte }
			m := &superjson.Meter{Limit: 1 << 20}
			_ = superjson.DecodeMetered(mode, text, none.WithParts(parts), &tree, nil, m)
			_ = superjson.DecodeMetered(mode, text, none.WithParts(parts), &list, nil, m)
			if superjson.DecodeMetered(mode, text, none.WithParts(parts), &kept, nil, m) == nil {
				_, _ = superjson.NewEncoder(mode).Append(nil, "", kept)
			}
		}
		in := wire.NewInbound(codecOf, wire.Unknown, 1<<20, 64)
		in.AllowBinary()
		if in.Push(frame) == nil {
			var m wire.Message
			_, _ = in.Next(&m)
		}
	})
}

// An error that is mere bytes does not show a placeholder.
func TestErrorOfBytes(t *testing.T) {
	text := `{"id":"1","method":"","args":{"error":"` + testMark + `0"},"type":"response","version":"json"}` + "\n"
	frame := wire.AppendBinary(nil, []byte(text), testMark, []superjson.Part{{Data: []byte{1, 2}}})
	in := wire.NewInbound(codecOf, wire.Unknown, 1<<20, 64)
	in.AllowBinary()
	var m wire.Message
	if err := in.Push(frame); err != nil {
		t.Fatal(err)
	}
	if ok, err := in.Next(&m); !ok || err != nil {
		t.Fatal(err)
	}
	if e := wire.ParseError(&m, nil, nil); e.Message != "bytes" {
		t.Errorf("%+v", e)
	}
}
