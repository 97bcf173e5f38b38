// Command filecoin serves the benchmark's methods with go-jsonrpc of the Filecoin project.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/filecoin-project/go-jsonrpc"
)

type arithmetic struct{}

func (arithmetic) Add(a, b float64) float64 { return a + b }

type bench struct{}

func (bench) Echo(text string) string { return text }

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "filecoin:", err)
		os.Exit(1)
	}
}

func serve() error {
	server := jsonrpc.NewServer()
	server.Register("math", arithmetic{})
	server.Register("bench", bench{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("{\"addr\":%q}\n", listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	http.Handle("/ws", server)
	return http.Serve(listener, nil)
}
