package kkecho_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/labstack/echo/v5"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/adapter/kkecho"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// signIn is middleware that notes who asks.
func signIn(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c *echo.Context) error {
		if user := c.QueryParam("user"); user != "" {
			c.Set("user", user)
		}
		return next(c)
	}
}

// A room for each path, and a user for each connection.
func ExampleHandlerFor() {
	rooms := kkecho.HandlerFor(func(c *echo.Context) (any, error) {
		user, ok := c.Get("user").(string)
		if !ok {
			return nil, ws.Reject(http.StatusUnauthorized, "sign in first")
		}
		room := c.Param("room")
		return kkrpc.Object{"where": func() string { return user + " is in " + room }}, nil
	}, nil)

	e := echo.New()
	e.Use(signIn)
	e.GET("/rooms/:room", rooms.Serve)

	server := httptest.NewServer(e)
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
