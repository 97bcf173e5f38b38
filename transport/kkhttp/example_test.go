package kkhttp_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/kkhttp"
)

func Example() {
	server := httptest.NewServer(kkhttp.Handler(kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
	}, nil))
	defer server.Close()

	ch, err := kkhttp.NewClient(server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	fmt.Println(kkrpc.Call[string](context.Background(), ch, "greet", "World"))
	// Output: Hello, World! <nil>
}

// An API for each request, for whoever it is from.
func ExampleHandlerFor() {
	server := httptest.NewServer(kkhttp.HandlerFor(func(r *http.Request) (any, error) {
		user := r.Header.Get("Authorization")
		if user == "" {
			return nil, kkhttp.Reject(http.StatusUnauthorized, "sign in first")
		}
		return kkrpc.Object{"whoAmI": func() string { return user }}, nil
	}, nil))
	defer server.Close()

	token := ""
	ch, err := kkhttp.NewClient(server.URL, &kkhttp.ClientOptions{
		Header: func(context.Context) (http.Header, error) {
			return http.Header{"Authorization": {token}}, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()

	_, err = kkrpc.Call[string](context.Background(), ch, "whoAmI")
	var refused *kkhttp.StatusError
	fmt.Println(errors.As(err, &refused), refused.Code, refused.Text)

	token = "Ada"
	fmt.Println(kkrpc.Call[string](context.Background(), ch, "whoAmI"))
	// Output:
	// true 401 sign in first
	// Ada <nil>
}

// A page on another origin is let in by Origins, and its browser by CORS middleware: here one of a few lines, in
// earnest a library such as github.com/go-chi/cors.
func ExampleHandler_cors() {
	const page = "https://app.example.com"
	cors := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Origin")
			if r.Header.Get("Origin") == page {
				w.Header().Set("Access-Control-Allow-Origin", page)
				w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
			}
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	handler := cors(kkhttp.Handler(kkrpc.Object{"version": "1.0.0"}, &kkhttp.Options{Origins: []string{page}}))

	preflight := httptest.NewRequest(http.MethodOptions, "/rpc", nil)
	preflight.Header.Set("Origin", page)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, preflight)
	fmt.Println(w.Code, w.Header().Get("Access-Control-Allow-Origin"))
	// Output: 204 https://app.example.com
}
