// Command conformanceclient checks a server of the conformance API, whatever it is written in:
//
//	go run ./interop/conformanceclient -url ws://127.0.0.1:3000/ws -protocol classic -codec superjson -peer 0.7.0
//
// It prints a line per check and the totals, and exits with 1 if a check failed, 2 if it could not start.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/kkrpc-go/kkrpc/interop/check"
)

func main() {
	url := flag.String("url", "ws://127.0.0.1:3000/ws", "`URL` of the server")
	protocol := flag.String("protocol", "compact", "compact (kkrpc 2) or classic (kkrpc 0)")
	codec := flag.String("codec", "json", "json or superjson")
	peer := flag.String("peer", "", "version of kkrpc that the server has, one of "+fmt.Sprint(check.Peers)+"; default 2.1.0 or 0.7.0 by the protocol")
	channel := flag.String("channel", "base", "what channels a server of kkrpc 2 has: base, streaming or remote-refs; all for one in Go")
	flag.Parse()
	if *peer == "" {
		*peer = map[string]string{"compact": "2.1.0", "classic": "0.7.0"}[*protocol]
	}
	config := check.Config{URL: *url, Peer: *peer, Channel: check.Channel(*channel)}
	if err := config.Dialect.UnmarshalText([]byte(*protocol + "-" + *codec)); err != nil {
		fail(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	passed, failed, err := check.Run(ctx, config, printResult)
	if err != nil {
		fail(err)
	}
	fmt.Printf("%s, kkrpc %s at %s: %d passed, %d failed\n", config.Dialect, config.Peer, config.URL, passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}

func printResult(r check.Result) {
	if r.Err != nil {
		fmt.Printf("FAIL %s: %v\n", r.Name, r.Err)
		return
	}
	fmt.Printf("ok   %s (%v)\n", r.Name, r.Took.Round(100*time.Microsecond))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "conformanceclient:", err)
	os.Exit(2)
}
