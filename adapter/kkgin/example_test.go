package kkgin_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/adapter/kkgin"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// signIn is middleware that notes who asks.
func signIn(c *gin.Context) {
	if user := c.Query("user"); user != "" {
		c.Set("user", user)
	}
}

// A room for each path, and a user for each connection.
func ExampleHandlerFor() {
	rooms := kkgin.HandlerFor(func(c *gin.Context) (any, error) {
		user := c.GetString("user")
		if user == "" {
			return nil, ws.Reject(http.StatusUnauthorized, "sign in first")
		}
		room := c.Param("room")
		return kkrpc.Object{"where": func() string { return user + " is in " + room }}, nil
	}, nil)

	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(signIn)
	router.GET("/rooms/:room", rooms.Serve)

	server := httptest.NewServer(router)
	defer server.Close()
	defer rooms.Shutdown(context.Background())
	url := strings.Replace(server.URL, "http", "ws", 1)

	_, err := ws.Dial(context.Background(), url+"/rooms/kitchen", nil)
	fmt.Println(err != nil)

	ch, err := ws.Dial(context.Background(), url+"/rooms/kitchen?user=Ada", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	fmt.Println(kkrpc.Call[string](context.Background(), ch, "where"))
	// Output:
	// true
	// Ada is in kitchen <nil>
}
