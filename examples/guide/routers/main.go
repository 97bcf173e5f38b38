package main

import (
	"context"
	"log"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/cors"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

type userKey struct{}

// signIn notes who asks, as a cookie or a token would say in earnest.
func signIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), userKey{}, r.URL.Query().Get("user"))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// room is the API of one connection. What chi pools, such as its URL parameters, is read here and not in a function.
func room(r *http.Request) (any, error) {
	name := chi.URLParam(r, "name")
	if name == "cellar" {
		return nil, ws.Reject(http.StatusForbidden, "nobody goes there")
	}
	return kkrpc.Object{
		"where": func(ctx context.Context) string {
			user, _ := ctx.Value(userKey{}).(string) // values of the request stay
			return user + " is in the " + name
		},
	}, nil
}

func main() {
	rooms := ws.HandlerFor(room, &ws.Options{Origins: []string{"http://localhost:*"}})

	router := chi.NewRouter()
	router.Use(middleware.RequestLogger(&middleware.DefaultLogFormatter{Logger: log.Default()}), middleware.Recoverer)
	router.Use(cors.Handler(cors.Options{AllowedOrigins: []string{"https://app.example.com"}})) // for other routes
	router.Use(middleware.Compress(5), middleware.Timeout(time.Minute))
	router.With(signIn).Handle("/rooms/{name}", rooms)

	http.Handle("/", router)
	log.Print("serving ws://localhost:3000/rooms/kitchen")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
