package wire_test

import (
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/classic"
	"github.com/kkrpc-go/kkrpc/internal/wire/compact"
)

const mathAdd = `{"t":"q","id":"79da484b-e165-41a4-a8a9-d4d136b92a86","op":"call","p":["math","add"],"a":[{"__kkrpc_next_arg__":"value","v":2},{"__kkrpc_next_arg__":"value","v":3}]}`

func BenchmarkParse(b *testing.B) {
	for _, row := range []struct {
		name  string
		codec wire.Codec
		text  string
	}{
		{"compact call", compact.JSON, mathAdd},
		{"compact superjson call", compact.SuperJSON, `{"json":` + mathAdd + `}`},
		{"compact response", compact.JSON, `{"t":"r","id":"79da484b-e165-41a4-a8a9-d4d136b92a86","v":5}`},
		{"compact 64 KiB string", compact.JSON, `{"t":"r","id":"i","v":"` + strings.Repeat("0123456789abcdef", 4096) + `"}`},
		{"compact many escapes", compact.JSON, `{"t":"r","id":"i","v":"` + strings.Repeat(`{\"a\":\"bcd\"}`, 4096) + `"}`},
		{"compact order of 50 items", compact.JSON, `{"t":"q","id":"i","op":"call","p":["placeOrder"],"a":[{"__kkrpc_next_arg__":"value","v":{"id":"order-1","items":[` +
			strings.Repeat(`{"sku":"SKU-00037","name":"Article number 1","quantity":2,"price":11.24,"gift":false},`, 49) + `{}]}}]}`},
		{"classic call", classic.JSON, `{"id":"1d68fb4ee0ee32-19a7c1b4bd4b5d-1dcd9f8cd40cc-6a0a9ea5e64bb","method":"math.add","args":[2,3],"type":"request","version":"json"}`},
		{"classic superjson call", classic.SuperJSON, `{"json":{"id":"1d68fb4ee0ee32-19a7c1b4bd4b5d-1dcd9f8cd40cc-6a0a9ea5e64bb","method":"math.add","args":[2,3],"type":"request","callbackIds":null,"transferSlots":null,"version":"superjson"},"meta":{"values":{"callbackIds":["undefined"],"transferSlots":["undefined"]},"v":1}}`},
	} {
		b.Run(row.name, func(b *testing.B) {
			var m wire.Message
			text := []byte(row.text)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if err := row.codec.Parse(text, &m, 64); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkWriteResult(b *testing.B) {
	id := []byte(`"79da484b-e165-41a4-a8a9-d4d136b92a86"`)
	for _, row := range []struct {
		name  string
		codec wire.Codec
	}{{"compact", compact.JSON}, {"classic superjson", classic.SuperJSON}} {
		b.Run(row.name, func(b *testing.B) {
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				dst = row.codec.EndResult(append(row.codec.BeginResult(dst[:0], id), '5'), nil)
			}
		})
	}
}
