// Command types exposes values of every kind that crosses.
package main

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"log"
	"math/big"
	"net/http"
	"net/url"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// Level is how urgent something is.
type Level int

// The levels.
const (
	Low  Level = iota // can wait
	High              // cannot
)

// Status is a state of a job.
type Status string

const (
	Open   Status = "open"
	Closed Status = "closed"
)

// Base is embedded.
type Base struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Hidden  string    `json:"-"`
	Dash    string    `json:"-,"`
	private int
}

type meta struct {
	Version int
	Name    string // hidden by that of Job
}

type Money struct{ cents int64 }

func (m Money) MarshalText() ([]byte, error)  { return nil, nil }
func (m *Money) UnmarshalText(b []byte) error { return nil }

type Custom struct{ X int }

func (Custom) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

// Job has fields of every kind.
type Job struct {
	Base
	meta
	Name     string            `json:"name"`
	Status   Status            `json:"status"`
	Level    Level             `json:"level,omitempty"`
	Count    int64             `json:"count,string"`
	Ratio    *float64          `json:"ratio,omitzero"`
	Parent   *Job              `json:"parent"`
	Children []*Job            `json:"children,omitempty"`
	Labels   map[string]string `json:"labels"`
	ByStatus map[Status][]int  `json:"byStatus"`
	ByNumber map[int]bool      `json:"byNumber"`
	Data     []byte            `json:"data"`
	Pair     [2]float32        `json:"pair"`
	Any      any               `json:"any"`
	Raw      json.RawMessage   `json:"raw"`
	Number   json.Number       `json:"number"`
	Price    Money             `json:"price"`
	Custom   Custom            `json:"custom"`
	Inline   struct {
		A, B int
	} `json:"inline"`
	Quoted  string `json:"'a.b'"`
	Ref     *kkrpc.Ref
	Failure error
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next,omitempty"`
}

type Words = []string

// Account is what a client can do with an account.
type Account interface {
	// Deposit adds to the balance.
	Deposit(ctx context.Context, amount int) (balance int, err error)
	Partner() *kkrpc.RefTo[Account]
	Statement(from time.Time, w io.Writer, to *time.Time) error
	Attach(ctx context.Context, name string, file io.Reader) (io.ReadCloser, error)
	Pages(p Page[kkrpc.RefTo[Approve]], q Page[*kkrpc.RefTo[func(s []any, n ...map[string]any) (bool, error)]]) iter.Seq[kkrpc.RefTo[Account]]
	internal()
}

// Stack is generic.
type Stack[T any] interface {
	Push(item T)
	Pop() (item T, err error)
}

// Approve decides.
type Approve func(ctx context.Context, name string, job Job) (bool, error)

func main() {
	http.Handle("/", ws.Handler(kkrpc.Object{
		"job":       func(j Job, n int, w Words) (*Job, error) { return &j, nil },
		"page":      func(cursor *string) Page[Job] { return Page[Job]{} },
		"numbers":   func(page Page[int]) Page[map[string]Status] { return Page[map[string]Status]{} },
		"set":       func(s *superjson.Set, m *superjson.Map) superjson.RegExp { return superjson.RegExp{} },
		"big":       func(n *big.Int, u *url.URL, t *time.Time) (*big.Int, error) { return n, nil },
		"floats":    func(f superjson.Float64Array, e superjson.Error) superjson.UndefinedType { return superjson.Undefined },
		"value":     func(v superjson.Value, all ...any) {},
		"bytes":     func(b []byte, n []uint8, c [3]byte) {},
		"callback":  func(f func(done, total int), g func(...string) error, h *kkrpc.Callback) {},
		"stream":    func(in iter.Seq2[Job, error]) iter.Seq[Status] { return nil },
		"reader":    func(r io.Reader, parts ...io.ReadCloser) (io.Reader, error) { return r, nil },
		"closer":    func() io.ReadCloser { return nil },
		"writer":    func(ctx context.Context, table string, w io.Writer, rows ...int) error { return nil },
		"writeOnly": func(w io.Writer) {},
		"channel":   func() (<-chan Level, error) { return nil, nil },
		"small":     func(a int8, b uint16, c float32, d bool, e rune) uint64 { return 0 },
		"anonymous": func(v struct{ A int }) []struct{ B *string } { return nil },
		"deep":      func(v map[string]map[string][][]Job) {},
		"account": func(a kkrpc.RefTo[Account], f kkrpc.RefTo[func(n int) string]) (kkrpc.RefTo[Account], error) {
			return a, nil
		},
		"approve": func(f *kkrpc.RefTo[Approve], stack kkrpc.RefTo[Stack[Job]], c kkrpc.RefTo[interface{ Close() error }]) {
		},
		"constant": 3,
		"greeting": "hello",
		"nothing":  nil,
		"list":     []Job{},
	}, nil))
	log.Fatal(http.ListenAndServe("127.0.0.1:0", nil))
}
