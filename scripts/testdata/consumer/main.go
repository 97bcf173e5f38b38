// Command consumer serves an API by gin and calls it.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/adapter/kkgin"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func main() {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.GET("/ws", kkgin.Handler(kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
	}, nil).Serve)
	server := httptest.NewServer(router)
	defer server.Close()

	ctx := context.Background()
	ch, err := ws.Dial(ctx, strings.Replace(server.URL, "http", "ws", 1)+"/ws", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	greeting, err := kkrpc.Call[string](ctx, ch, "greet", "module")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(greeting)
}
