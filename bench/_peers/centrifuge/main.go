// Command centrifuge serves the benchmark's methods with Centrifugo's library.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/centrifugal/centrifuge"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "centrifuge:", err)
		os.Exit(1)
	}
}

func serve() error {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return err
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{}}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnRPC(func(e centrifuge.RPCEvent, reply centrifuge.RPCCallback) {
			data, err := call(e.Method, e.Data)
			reply(centrifuge.RPCReply{Data: data}, err)
		})
	})
	if err := node.Run(); err != nil {
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
	http.Handle("/ws", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		CheckOrigin:      func(*http.Request) bool { return true },
		MessageSizeLimit: 1 << 20,
	}))
	return http.Serve(listener, nil)
}

// call is what an application writes, since the library has no methods with parameters.
func call(method string, data []byte) ([]byte, error) {
	switch method {
	case "math.add":
		var args [2]float64
		if err := json.Unmarshal(data, &args); err != nil {
			return nil, centrifuge.ErrorBadRequest
		}
		return json.Marshal(args[0] + args[1])
	case "echo":
		var args [1]string
		if err := json.Unmarshal(data, &args); err != nil {
			return nil, centrifuge.ErrorBadRequest
		}
		return json.Marshal(args[0])
	default:
		return nil, centrifuge.ErrorMethodNotFound
	}
}
