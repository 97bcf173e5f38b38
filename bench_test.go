package kkrpc_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

// feed is a transport that brings the same request n times, in bursts, and drops what is written: what is left is the
// cost of the channel itself.
type feed struct {
	request []byte
	n       int
	burst   int
	done    chan struct{}
	written int
}

func (f *feed) ReadFrame(buf []byte) ([]byte, bool, error) {
	if f.n == 0 {
		<-f.done
		return nil, false, io.EOF
	}
	f.n--
	return append(buf[:0], f.request...), f.n%f.burst != 0, nil
}

func (f *feed) TryWriteFrames(msgs [][]byte) (bool, error) { return true, f.WriteFrames(msgs) }

func (f *feed) WriteFrames(msgs [][]byte) error {
	if f.written -= len(msgs); f.written == 0 {
		close(f.done)
	}
	return nil
}

func (f *feed) Close(int, string) error { return nil }

type number float64

// What functions of an application take and return. Twenty fields are those of the scenario struct-20 of bench.
type (
	account struct {
		ID     int     `json:"id"`
		Name   string  `json:"name"`
		Email  string  `json:"email"`
		Active bool    `json:"active"`
		Score  float64 `json:"score"`
	}
	profile struct {
		ID       string         `json:"id"`
		Name     string         `json:"name"`
		Email    string         `json:"email"`
		Age      int            `json:"age"`
		Score    float64        `json:"score"`
		Active   bool           `json:"active"`
		Tags     []string       `json:"tags"`
		City     string         `json:"city"`
		Street   string         `json:"street"`
		Zip      string         `json:"zip"`
		Country  string         `json:"country"`
		Phone    string         `json:"phone"`
		Balance  float64        `json:"balance"`
		Logins   int            `json:"logins"`
		Language string         `json:"language"`
		Timezone string         `json:"timezone"`
		Verified bool           `json:"verified"`
		Note     string         `json:"note"`
		Nested   account        `json:"nested"`
		Settings map[string]any `json:"settings"`
	}
)

const (
	userJSON   = `{"id":17,"name":"Ada Lovelace","email":"ada@example.com","active":true,"score":98.5}`
	recordJSON = `{"id":"r-1017","name":"Ada Lovelace","email":"ada@example.com","age":36,"score":98.5,"active":true,"tags":["a","b","c"],` +
		`"city":"London","street":"12 St James Square","zip":"SW1Y 4JH","country":"GB","phone":"+44 20 7946 0000","balance":1024.25,"logins":412,` +
		`"language":"en","timezone":"Europe/London","verified":true,"note":"first","nested":` + userJSON + `,"settings":{"theme":"dark","size":12}}`
)

func echo[T any](_ context.Context, v T) (T, error) { return v, nil }

// BenchmarkServe is a request answered, from the frame to the frame, 64 of them for each write.
func BenchmarkServe(b *testing.B) {
	for _, test := range []struct {
		name string
		fn   any
		args []string
	}{
		{"typed", func(a, b float64) float64 { return a + b }, []string{"3", "4"}},
		{"typed ctx", func(_ context.Context, a, b float64) (float64, error) { return a + b, nil }, []string{"3", "4"}},
		{"named", func(a, b number) number { return a + b }, []string{"3", "4"}},
		{"reflected", func(a, b float32) float32 { return a + b }, []string{"3", "4"}},
		{"text", echo[string], []string{`"` + strings.Repeat("abcdefgh", 128) + `"`}},
		{"any", echo[any], []string{userJSON}},
		{"map", echo[map[string]any], []string{userJSON}},
		{"slice", echo[[]float64], []string{"[1,2,3,4,5,6,7,8]"}},
		{"struct of 5", echo[account], []string{userJSON}},
		{"pointer to 5", echo[*account], []string{userJSON}},
		{"struct of 20", echo[profile], []string{recordJSON}},
	} {
		for _, d := range []kkrpc.Dialect{kkrpc.Compact, kkrpc.CompactSuperJSON, kkrpc.Classic, kkrpc.ClassicSuperJSON} {
			b.Run(fmt.Sprintf("%s/%v", test.name, d), func(b *testing.B) {
				b.ReportAllocs()
				f := &feed{request: []byte(requestText(d, test.args)), n: b.N, burst: 64, done: make(chan struct{}), written: b.N}
				ch, err := kkrpc.New(context.Background(), f, &kkrpc.Options{Expose: kkrpc.Object{"math": kkrpc.Object{"add": test.fn}}})
				if err != nil {
					b.Fatal(err)
				}
				<-f.done
				ch.Close()
			})
		}
	}
}

// requestText calls math.add as kkrpc 2.1 and 0.7 write it.
func requestText(d kkrpc.Dialect, args []string) string {
	switch d {
	case kkrpc.Classic:
		return `{"id":"12c24d9a44080f-156df44c2f0136-d721b494e1d93-df09ee7d761aa","method":"math.add","args":[` + strings.Join(args, ",") +
			`],"type":"request","version":"json"}` + "\n"
	case kkrpc.ClassicSuperJSON:
		return `{"json":{"id":"12c24d9a44080f-156df44c2f0136-d721b494e1d93-df09ee7d761aa","method":"math.add","args":[` + strings.Join(args, ",") +
			`],"type":"request","callbackIds":null,"transferSlots":null,"version":"superjson"},"meta":{"values":{"callbackIds":["undefined"],"transferSlots":["undefined"]},"v":1}}` + "\n"
	}
	const envelope = `{"__kkrpc_next_arg__":"value","v":`
	text := `{"t":"q","id":"dcd7065b-6b28-49ee-8b34-c0d1a7964054","op":"call","p":["math","add"],"a":[` +
		envelope + strings.Join(args, "},"+envelope) + `}]}`
	if d == kkrpc.CompactSuperJSON {
		text = `{"json":` + text + `}`
	}
	return text
}

// BenchmarkCall is a round trip between two channels in memory, with 1 and 64 calls in flight.
func BenchmarkCall(b *testing.B) {
	api := kkrpc.Options{Expose: kkrpc.Object{"add": func(a, b float64) float64 { return a + b }}}
	for _, inFlight := range []int{1, 64} {
		b.Run(fmt.Sprint(inFlight), func(b *testing.B) {
			_, c := pair(b, api, kkrpc.Options{})
			b.ReportAllocs()
			b.SetParallelism(inFlight)
			call := func() {
				if _, err := kkrpc.Call[float64](context.Background(), c, "add", 1, 2); err != nil {
					b.Error(err)
				}
			}
			if inFlight == 1 {
				for b.Loop() {
					call()
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					call()
				}
			})
		})
	}
}

// BenchmarkStream is 100,000 items of a stream between two channels in memory; the time of one is reported too.
func BenchmarkStream(b *testing.B) {
	const items = 100_000
	counting := func(yield func(int) bool) {
		for i := range items {
			if !yield(i) {
				return
			}
		}
	}
	for _, d := range []kkrpc.Dialect{kkrpc.Compact, kkrpc.CompactSuperJSON, kkrpc.Classic} {
		b.Run(d.String(), func(b *testing.B) {
			_, c := pair(b, kkrpc.Options{Expose: kkrpc.Object{"count": func() iter.Seq[int] { return counting }}}, kkrpc.Options{Dialect: d})
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for _, err := range kkrpc.Stream[int](context.Background(), c, "count") {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n != items {
					b.Fatal(n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/items, "ns/item")
		})
	}
}
