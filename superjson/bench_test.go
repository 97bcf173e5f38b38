package superjson_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/superjson"
)

func BenchmarkAppend(b *testing.B) {
	for name, v := range map[string]any{
		"int": 42, "string": "hello", "time": time.UnixMilli(0), "bytes": []byte("hello"),
		"struct": user{Name: "x", Tags: []string{"a", "b"}}, "tree": map[string]any{"a": []any{1, "x", nil}, "b": time.UnixMilli(0)},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			e := superjson.NewEncoder(superjson.ModeSuperJSON)
			var buf []byte
			for b.Loop() {
				e.Reset(superjson.ModeSuperJSON)
				buf, _ = e.Append(buf[:0], "v", v)
				buf = e.AppendMeta(buf)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	b.Run("int", func(b *testing.B) {
		b.ReportAllocs()
		var n int
		for b.Loop() {
			_ = superjson.Decode(superjson.ModeSuperJSON, []byte("42"), nil, &n)
		}
	})
	b.Run("struct", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var u user
			_ = superjson.Decode(superjson.ModeSuperJSON, []byte(`{"name":"x","tags":["a","b"]}`), nil, &u)
		}
	})
	b.Run("any", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v any
			_ = superjson.Decode(superjson.ModeSuperJSON, []byte(`{"name":"x","tags":["a","b"]}`), nil, &v)
		}
	})
}

// order and account are what applications send: lists of structs with strings and numbers, without annotations.
type (
	order struct {
		ID       string    `json:"id"`
		Customer string    `json:"customer"`
		Note     string    `json:"note,omitempty"`
		Items    []article `json:"items"`
	}
	article struct {
		SKU      string  `json:"sku"`
		Name     string  `json:"name"`
		Quantity int     `json:"quantity"`
		Price    float64 `json:"price"`
		Gift     bool    `json:"gift"`
	}
	account struct {
		ID      int      `json:"id"`
		Name    string   `json:"name"`
		Email   string   `json:"email"`
		Active  bool     `json:"active"`
		Role    string   `json:"role"`
		Score   float64  `json:"score"`
		Joined  string   `json:"joined"`
		Address address  `json:"address"`
		Tags    []string `json:"tags"`
	}
	address struct {
		Street  string `json:"street"`
		City    string `json:"city"`
		Zip     string `json:"zip"`
		Country string `json:"country"`
	}
)

func anOrder() order {
	o := order{ID: "order-20261129-0001", Customer: "Ada Lovelace"}
	for i := range 50 {
		o.Items = append(o.Items, article{fmt.Sprintf("SKU-%05d", i*37), fmt.Sprintf("Article number %d", i), i%7 + 1, 9.99 + float64(i)*1.25, i%5 == 0})
	}
	return o
}

func accounts() []account {
	var list []account
	for i := range 100 {
		list = append(list, account{
			ID: 1000 + i, Name: fmt.Sprintf("User Number %d", i), Email: fmt.Sprintf("user%d@example.com", i), Active: i%3 > 0, Role: "member",
			Score: float64(i) * 1.5, Joined: "2026-01-02T03:04:05.000Z",
			Address: address{fmt.Sprintf("%d Main Street", i), "London", "SW1Y 4JH", "GB"}, Tags: []string{"alpha", "beta", "gamma"},
		})
	}
	return list
}

func BenchmarkStructs(b *testing.B) {
	encode(b, "order", anOrder())
	encode(b, "account", accounts()[0])
	encode(b, "accounts", accounts())
	decode[order](b, "order", anOrder())
	decode[account](b, "account", accounts()[0])
	decode[[]account](b, "accounts", accounts())
}

// visit has what superjson annotates.
type visit struct {
	ID   int       `json:"id"`
	Page string    `json:"page"`
	At   time.Time `json:"at"`
}

func visits() []visit {
	var list []visit
	for i := range 100 {
		list = append(list, visit{i, "/products/" + strconv.Itoa(i), time.UnixMilli(1_790_000_000_000 + int64(i)*61_001).UTC()})
	}
	return list
}

func BenchmarkDates(b *testing.B) {
	encode(b, "visits", visits())
	decode[[]visit](b, "visits", visits())
}

func encode(b *testing.B, name string, v any) {
	for mode, of := range map[string]superjson.Mode{"json": superjson.ModeJSON, "superjson": superjson.ModeSuperJSON} {
		b.Run("encode/"+name+"/"+mode, func(b *testing.B) {
			b.ReportAllocs()
			e := superjson.NewEncoder(of)
			var buf []byte
			for b.Loop() {
				e.Reset(of)
				buf, _ = e.Append(buf[:0], "v", v)
			}
			b.SetBytes(int64(len(buf)))
		})
	}
}

func decode[T any](b *testing.B, name string, v T) {
	for mode, of := range map[string]superjson.Mode{"json": superjson.ModeJSON, "superjson": superjson.ModeSuperJSON} {
		e := superjson.NewEncoder(of)
		raw, err := e.Append(nil, "", v)
		if err != nil {
			b.Fatal(err)
		}
		var meta *superjson.Meta
		if e.HasMeta() {
			if meta, err = superjson.ParseMeta(e.AppendMeta(nil)); err != nil {
				b.Fatal(err)
			}
		}
		b.Run("decode/"+name+"/"+mode, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				var got T
				if err := superjson.Decode(of, raw, meta, &got); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestScalarsDoNotAllocate(t *testing.T) {
	e := superjson.NewEncoder(superjson.ModeSuperJSON)
	buf := make([]byte, 0, 256)
	for _, v := range []any{"hello", 42, 1.5, true, nil, time.UnixMilli(0), uint8(1), []byte{1}, superjson.Undefined} {
		e.Reset(superjson.ModeSuperJSON)
		n := testing.AllocsPerRun(50, func() {
			e.Reset(superjson.ModeSuperJSON)
			buf, _ = e.Append(buf[:0], "a.0.v", v)
			buf = e.AppendMeta(buf)
		})
		if n > 0 {
			t.Errorf("%T: %v allocations", v, n)
		}
	}
}
