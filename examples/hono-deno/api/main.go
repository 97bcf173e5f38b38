package main

import (
	"fmt"
	"log"
	"math/big"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
	"github.com/kkrpc-go/kkrpc/wasm"
)

type Meeting struct {
	Title string    `json:"title"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	Who   []string  `json:"who"`
}

// Names are a Set of the client.
//
//kkrpc:ts Set<string>
type Names []string

// Taken says itself how it crosses: as an Error with a field that is a Date.
type Taken struct{ By Meeting }

func (e *Taken) Error() string { return "taken by " + e.By.Title }

func (e *Taken) RPCError() *kkrpc.Error {
	return &kkrpc.Error{Name: "Taken", Message: e.Error(), Fields: map[string]any{"until": e.By.End}}
}

// maxMeetings bounds what clients can make the server remember.
const maxMeetings = 1000

// calendar is one for all connections: its methods are called on several goroutines.
type calendar struct {
	mu       sync.Mutex
	meetings []Meeting
}

// Book takes a Date and a Set, and returns an object with Dates.
func (c *calendar) Book(title string, start time.Time, minutes int, who Names) (Meeting, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wanted := Meeting{Title: title, Start: start, End: start.Add(time.Duration(minutes) * time.Minute), Who: who}
	if len(c.meetings) == maxMeetings {
		return Meeting{}, &kkrpc.Error{Name: "RangeError", Message: "the calendar is full"}
	}
	for _, m := range c.meetings {
		if wanted.Start.Before(m.End) && m.Start.Before(wanted.End) {
			return Meeting{}, &Taken{By: m}
		}
	}
	c.meetings = append(c.meetings, wanted)
	return wanted, nil
}

// Busy returns a Map from names to minutes.
func (c *calendar) Busy() *superjson.Map {
	c.mu.Lock()
	defer c.mu.Unlock()
	minutes := map[string]float64{}
	busy := superjson.NewMap() // in the order in which names come up
	for _, m := range c.meetings {
		for _, name := range m.Who {
			minutes[name] += m.End.Sub(m.Start).Minutes()
			busy.Set(name, minutes[name])
		}
	}
	return busy
}

// Export returns a Uint8Array.
func (c *calendar) Export() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	var file []byte
	for _, m := range c.meetings {
		file = fmt.Appendf(file, "%s %s\n", m.Start.Format(time.DateTime), m.Title)
	}
	return file
}

// Clear forgets all meetings.
func (c *calendar) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.meetings = nil
}

// API has what is exposed: its methods, and its fields as namespaces.
type API struct {
	Math     kkrpc.Object
	Calendar *calendar `kkrpc:"calendar"`
}

func (*API) Greet(name string) string { return "Hello, " + name + "!" }

func (*API) Add(a, b float64) float64 { return a + b }

// EpochNanoseconds returns a bigint: what Temporal.Instant has by that name.
func (*API) EpochNanoseconds(at time.Time) *big.Int { return big.NewInt(at.UnixNano()) }

func main() {
	log.Fatal(wasm.Serve(&API{
		Math: kkrpc.Object{
			"multiply": func(a, b float64) float64 { return a * b },
		},
		Calendar: &calendar{},
	}, nil))
}
