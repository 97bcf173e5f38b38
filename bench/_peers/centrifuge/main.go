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
		return centrifuge.ConnectReply{
			Credentials:   &centrifuge.Credentials{},
			Subscriptions: map[string]centrifuge.SubscribeOptions{room: {}},
		}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnRPC(func(e centrifuge.RPCEvent, reply centrifuge.RPCCallback) {
			data, err := call(node, e.Method, e.Data)
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

// room is the channel that every connection subscribes to.
const room = "room"

// burst publishes a text a number of times, and returns how many deliveries that are.
func burst(node *centrifuge.Node, data []byte) ([]byte, error) {
	var n int
	var text string
	if err := json.Unmarshal(data, &[]any{&n, &text}); err != nil {
		return nil, centrifuge.ErrorBadRequest
	}
	message, err := json.Marshal(text)
	if err != nil {
		return nil, err
	}
	for range n {
		if _, err := node.Publish(room, message); err != nil {
			return nil, err
		}
	}
	return json.Marshal(n * node.Hub().NumSubscribers(room))
}

// call is what an application writes, since the library has no methods with parameters.
func call(node *centrifuge.Node, method string, data []byte) ([]byte, error) {
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
	case "burst":
		return burst(node, data)
	default:
		return nil, centrifuge.ErrorMethodNotFound
	}
}
