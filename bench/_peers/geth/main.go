// Command geth serves the benchmark's methods with the RPC package of go-ethereum.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/ethereum/go-ethereum/rpc"
)

type arithmetic struct{}

func (arithmetic) Add(a, b float64) float64 { return a + b }

type bench struct{}

func (bench) Echo(text string) string { return text }

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "geth:", err)
		os.Exit(1)
	}
}

func serve() error {
	server := rpc.NewServer()
	if err := server.RegisterName("math", arithmetic{}); err != nil {
		return err
	}
	if err := server.RegisterName("bench", bench{}); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("{\"addr\":%q}\n", listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	http.Handle("/ws", server.WebsocketHandler([]string{"*"}))
	return http.Serve(listener, nil)
}
