package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/kkrpc-go/kkrpc"
)

// testCase is work that is done n times.
type testCase struct {
	name string
	run  func(n int) error
}

type user struct {
	ID      int      `json:"id"`
	Name    string   `json:"name"`
	Email   string   `json:"email"`
	Active  bool     `json:"active"`
	Score   float64  `json:"score"`
	Tags    []string `json:"tags"`
	Address struct {
		Street string `json:"street"`
		City   string `json:"city"`
	} `json:"address"`
}

const (
	userText = `{"id":7,"name":"Ada Lovelace","email":"ada@example.com","active":true,"score":98.5,"tags":["first","program"],` +
		`"address":{"street":"12 St James's Square","city":"London"}}`
	compactID = `"dcd7065b-6b28-49ee-8b34-c0d1a7964054"`
	classicID = `"12c24d9a44080f-156df44c2f0136-d721b494e1d93-df09ee7d761aa"`
)

var (
	text1k = strings.Repeat("sixteen letters ", 64)

	addCompact   = compact(`"math","add"`, "3", "4")
	addSuperJSON = `{"json":` + addCompact + `}`
	addClassic   = `{"id":` + classicID + `,"method":"math.add","args":[3,4],"type":"request","version":"json"}` + "\n"
	addClassicSJ = `{"json":{"id":` + classicID + `,"method":"math.add","args":[3,4],"type":"request","callbackIds":null,"transferSlots":null,` +
		`"version":"superjson"},"meta":{"values":{"callbackIds":["undefined"],"transferSlots":["undefined"]},"v":1}}` + "\n"
)

// The functions that requests call.
var (
	values    = func(a, b float64) float64 { return a + b }
	withCtx   = func(_ context.Context, a, b float64) (float64, error) { return a + b, nil }
	reflected = func(_ context.Context, a, b float32) (float32, error) { return a + b, nil }

	api = kkrpc.Object{
		"math": kkrpc.Object{"add": withCtx},
		"echo": func(_ context.Context, text string) (string, error) { return text, nil },
		"user": func(_ context.Context, u user) (user, error) { return u, nil },
	}
)

var cases = []testCase{
	{"serve add of values", serve(addCompact, math(values), `"v":7`)},
	{"serve add with a context", serve(addCompact, math(withCtx), `"v":7`)},
	{"serve add by reflection", serve(addCompact, math(reflected), `"v":7`)},
	{"serve add, compact superjson", serve(addSuperJSON, math(withCtx), `"v":7`)},
	{"serve add, classic json", serve(addClassic, math(withCtx), `"result":7`)},
	{"serve add, classic superjson", serve(addClassicSJ, math(withCtx), `"result":7`)},
	{"serve echo of 1 KiB", serve(compact(`"echo"`, `"`+text1k+`"`), api, text1k)},
	{"serve echo of a struct", serve(compact(`"user"`, userText), api, userText)},
	{"serve add over WebSocket", serveWS(addCompact, api, `"v":7`)},
	{"call add", call},
}

func math(add any) kkrpc.Object { return kkrpc.Object{"math": kkrpc.Object{"add": add}} }

// compact is a request of kkrpc 2.
func compact(path string, args ...string) string {
	for i, arg := range args {
		args[i] = `{"__kkrpc_next_arg__":"value","v":` + arg + `}`
	}
	return fmt.Sprintf(`{"t":"q","id":%s,"op":"call","p":[%s],"a":[%s]}`, compactID, path, strings.Join(args, ","))
}

// serve answers a request, whose answer has to contain want.
func serve(request string, api kkrpc.Object, want string) func(int) error {
	return func(n int) error {
		f := &feed{request: []byte(request), left: n, unanswered: n, want: want, done: make(chan struct{})}
		ch, err := kkrpc.New(context.Background(), f, &kkrpc.Options{Expose: api})
		if err != nil {
			return err
		}
		<-f.done
		ch.Close()
		return f.err
	}
}

// call calls a peer that costs next to nothing.
func call(n int) error {
	p := &answering{answers: make(chan []byte, 1), closed: make(chan struct{})}
	ch, err := kkrpc.New(context.Background(), p, &kkrpc.Options{Dialect: kkrpc.Compact})
	if err != nil {
		return err
	}
	defer ch.Close()
	for range n {
		if sum, err := kkrpc.Call[float64](context.Background(), ch, "math.add", 3, 4); err != nil || sum != 7 {
			return fmt.Errorf("3 + 4 = %v, %w", sum, err)
		}
	}
	return nil
}
