package kkrpc_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// A peer that sends messages about streams in any order must not bring anything to hang, to panic, or to be left over
// when the channel has closed. The bubble notices goroutines that are.
func TestStreamMessagesInAnyOrder(t *testing.T) {
	for _, d := range []kkrpc.Dialect{kkrpc.Compact, kkrpc.CompactSuperJSON, kkrpc.Classic} {
		for seed := range uint64(40) {
			t.Run(fmt.Sprintf("%v/%d", d, seed), func(t *testing.T) {
				bubble(t, func(t *testing.T) { chaos(t, d, rand.New(rand.NewPCG(seed, 1))) })
			})
		}
	}
}

func chaos(t *testing.T, d kkrpc.Dialect, random *rand.Rand) {
	server, alive := fuzzAPI()
	ch, peer := raw(t, kkrpc.Options{Expose: server, Dialect: d, CallTimeout: time.Minute, Limits: kkrpc.Limits{Streams: 8, StreamIdle: time.Second, StreamBuffer: 4000, Running: 2}})
	go func() { // ends with the channel
		for {
			if _, _, err := peer.ReadFrame(nil); err != nil {
				return
			}
		}
	}()
	stream := func() string {
		return fmt.Sprintf(`{"__kkrpc_next_stream__":"async-iterable","id":"a%d"}`, random.IntN(4))
	}
	value := func() string {
		return []string{"1", `"text"`, "null", `{"a":[1]}`, stream(), strings.Repeat("[", 70) + strings.Repeat("]", 70)}[random.IntN(6)]
	}
	sid := func() string { return []string{"a", "s"}[random.IntN(2)] + fmt.Sprint(random.IntN(6)) }
	compact := func() string {
		id := random.IntN(12)
		switch random.IntN(8) {
		case 0, 1:
			path := []string{"open", "slow", "sum", "echo", "relay", "any"}[random.IntN(6)]
			args := ""
			switch path {
			case "open":
				args = "40"
			case "sum", "echo", "any":
				args = stream()
			}
			return fmt.Sprintf(`{"t":"q","id":"%d","op":"call","p":["%s"],"a":[%s]}`, id, path, args)
		case 2:
			return fmt.Sprintf(`{"t":"r","id":"%d","v":%s}`, id, stream())
		case 3:
			return fmt.Sprintf(`{"t":"sq","id":"x","sid":"%s","op":"pull","n":%d}`, sid(), random.IntN(50))
		case 4:
			return fmt.Sprintf(`{"t":"sq","id":"x","sid":"%s","op":"%s","v":%s}`, sid(), []string{"return", "throw"}[random.IntN(2)], value())
		case 5:
			return fmt.Sprintf(`{"t":"qc","id":"%d"}`, id)
		case 6:
			return fmt.Sprintf(`{"t":"sr","id":"x","sid":"%s","d":%v,"v":%s}`, sid(), random.IntN(6) == 0, value())
		default:
			if random.IntN(4) > 0 {
				return fmt.Sprintf(`{"t":"sr","id":"x","sid":"%s","v":%s}`, sid(), value())
			}
			return fmt.Sprintf(`{"t":"sr","id":"x","sid":"%s","e":%s}`, sid(), value())
		}
	}
	classic := func() string {
		id := random.IntN(12)
		switch random.IntN(5) {
		case 0:
			return fmt.Sprintf(`{"id":"%d","method":%s],"type":"request"}`, id, []string{`"open","args":[40`, `"slow","args":[`, `"relay","args":[`}[random.IntN(3)])
		case 1:
			return fmt.Sprintf(`{"id":"%d","method":"","args":{"result":{"__stream":true}},"type":"response"}`, id)
		case 2:
			return fmt.Sprintf(`{"id":"%d","method":"","args":{"value":%s},"type":"stream-chunk"}`, id, value())
		case 3:
			return fmt.Sprintf(`{"id":"%d","method":"","args":{},"type":"stream-cancel"}`, id)
		default:
			return fmt.Sprintf(`{"id":"%d","method":"","args":{"error":"e"},"type":"%s"}`, id, []string{"stream-end", "stream-error"}[random.IntN(2)])
		}
	}
	for range 300 {
		var m string
		switch d {
		case kkrpc.Classic:
			m = classic() + "\n"
		case kkrpc.CompactSuperJSON:
			m = `{"json":` + compact() + `}`
		default:
			m = compact()
		}
		write(t, peer, m)
		switch random.IntN(6) {
		case 0:
			synctest.Wait()
		case 1:
			time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
		}
	}
	if err := ch.Err(); err != nil {
		t.Errorf("the channel has closed: %v", err)
	}
	ch.Close()
	synctest.Wait()
	if n := alive.Load(); n != 0 {
		t.Errorf("%d contexts outlive the channel", n)
	}
}
