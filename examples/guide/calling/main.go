package main

import (
	"fmt"
	"log"
	"net/http"
	"sync"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// Book crosses as an object with these names.
type Book struct {
	Title string   `json:"title"`
	Year  int      `json:"year"`
	Tags  []string `json:"tags,omitempty"`
}

// Shelf is what clients may do with books.
type Shelf interface {
	Add(book Book) (id int)
	FindByID(id int) *Book
}

type shelf struct {
	mu    sync.Mutex // functions of an API run concurrently
	books []Book
}

func (s *shelf) Add(book Book) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.books = append(s.books, book)
	return len(s.books)
}

func (s *shelf) FindByID(id int) *Book {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id < 1 || id > len(s.books) {
		return nil
	}
	book := s.books[id-1]
	return &book
}

// Clear is not in Shelf, so no client can call it.
func (s *shelf) Clear() { s.books = nil }

// API is a struct: its own exported methods, and the fields that say so, are what clients can call.
type API struct {
	Math  kkrpc.Object
	Shelf any `kkrpc:"books"`
	Calls int // neither of kkrpc's types nor tagged: stays here
}

func (*API) Greet(name string, greeting *string) string {
	if greeting == nil {
		return "Hello, " + name + "!"
	}
	return fmt.Sprintf("%s, %s!", *greeting, name)
}

func main() {
	http.Handle("/ws", ws.Handler(&API{
		Math: kkrpc.Object{
			"multiply": func(a, b float64) float64 { return a * b },
			"sum": func(numbers ...float64) (total float64) {
				for _, n := range numbers {
					total += n
				}
				return total
			},
		},
		Shelf: kkrpc.As[Shelf](&shelf{}),
	}, nil))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
