// Command contract serves an API with one of everything that kkrpc gen ts has a type for, and prints its address.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/contract"
	"github.com/kkrpc-go/kkrpc/superjson"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// Shop is what a page may call.
type Shop interface {
	// Find finds an article.
	//
	// Deprecated: use Search.
	Find(id ArticleID) (*Article, error)
	// Search returns one page; no cursor means the first.
	Search(text string, cursor *string) (Page[Article], error)
	Save(ctx context.Context, a Article, progress func(done, total int)) (Article, error)
	Count() map[State]int
	Sellers() map[SellerID]Color
	Sum(in ...float64) float64
	Values(v Values) Values
	// Days are streamed; kkrpc 0.2 has no streams.
	Days(n int) iter.Seq[time.Time]
	// Delete takes an article out of the shop.
	//
	//kkrpc:throws NotYours errGone
	Delete(class ArticleID) error
}

// NotYours says that the article belongs to another seller.
type NotYours struct{ Seller SellerID }

func (e *NotYours) Error() string { return "not yours" }

// RPCError says how it crosses.
func (e *NotYours) RPCError() *kkrpc.Error {
	return &kkrpc.Error{Name: "NotYours", Message: e.Error(), Fields: map[string]any{"seller": e.Seller}}
}

// errGone says that the article is not there any more.
var errGone = &kkrpc.Error{Name: "Gone", Message: "it is gone"}

// ArticleID is a text without meaning.
type ArticleID string

// SellerID is a text that only this server makes.
//
//kkrpc:brand
type SellerID string

// Color is written as #rrggbb.
//
//kkrpc:ts `#${string}`
type Color string

// MarshalJSON writes c.
func (c Color) MarshalJSON() ([]byte, error) { return json.Marshal("#" + string(c)) }

// State is how far an article is.
type State string

// The states.
const (
	Draft State = "draft"
	Sold  State = "sold"
)

// Article is one thing to buy.
type Article struct {
	ID      ArticleID `json:"id"`
	State   State     `json:"state"`
	Created time.Time `json:"created"`
	Note    *string   `json:"note"`           // null for none
	Tags    []string  `json:"tags,omitempty"` // absent for none
	Serial  int64     `json:"serial,string"`
}

// Page is a part of a list.
type Page[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next"`
}

// Values are of the kinds that only SuperJSON keeps.
type Values struct {
	At    time.Time               `json:"at"`
	Bytes []byte                  `json:"bytes"`
	Big   *big.Int                `json:"big"`
	URL   *url.URL                `json:"url"`
	Set   *superjson.Set          `json:"set"`
	Map   *superjson.Map          `json:"map"`
	Typed superjson.Float64Array  `json:"typed"`
	None  superjson.UndefinedType `json:"none"`
}

type shop struct{}

func (shop) Find(id ArticleID) (*Article, error) {
	if id == "none" {
		return nil, nil
	}
	return &Article{ID: id, State: Sold, Created: time.Unix(0, 0).UTC(), Serial: 1 << 60}, nil
}

func (s shop) Search(text string, cursor *string) (Page[Article], error) {
	if cursor != nil {
		return Page[Article]{}, nil
	}
	a, err := s.Find("a")
	return Page[Article]{Items: []Article{*a}, Next: &text}, err
}

func (shop) Save(_ context.Context, a Article, progress func(done, total int)) (Article, error) {
	progress(1, 2)
	return a, nil
}

func (shop) Count() map[State]int { return map[State]int{Sold: 2} }

func (shop) Sellers() map[SellerID]Color { return map[SellerID]Color{"s1": "ff0000"} }

func (shop) Sum(in ...float64) (sum float64) {
	for _, f := range in {
		sum += f
	}
	return sum
}

func (shop) Values(v Values) Values { return v }

func (shop) Days(n int) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for i := range n {
			if !yield(time.Unix(int64(i)*24*60*60, 0).UTC()) {
				return
			}
		}
	}
}

func (shop) Delete(id ArticleID) error {
	switch id {
	case "a":
		return &NotYours{Seller: "s1"}
	case "gone":
		return errGone
	}
	return errors.New("no such article")
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	guard, err := contract.New(kkrpc.As[Shop](shop{}), &contract.Options{Refuse: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(l.Addr())
	log.Fatal(http.Serve(l, ws.HandlerFor(guard.API, nil)))
}
