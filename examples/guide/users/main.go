package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

type User struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Age  int    `json:"age"`
}

// NewUser is TypeScript's Omit<User, "id">.
type NewUser struct {
	Name string `json:"name"`
	Age  int    `json:"age"`
}

// Changes is Partial<NewUser>: what is nil stays as it is.
type Changes struct {
	Name *string `json:"name"`
	Age  *int    `json:"age"`
}

// ServerAPI is what clients may call: these methods and no others.
type ServerAPI interface {
	GetUsers() []User
	CreateUser(user NewUser) User
	UpdateUser(id string, changes Changes) (User, error)
}

// ClientAPI is what the server calls of each client.
type ClientAPI struct {
	OnUserUpdate func(user User) error `kkrpc:",notify"` // nobody waits for the answer
}

type users struct {
	mu      sync.Mutex
	all     []User
	clients map[*kkrpc.Channel]ClientAPI
}

func (u *users) GetUsers() []User {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.all)
}

func (u *users) CreateUser(user NewUser) User {
	u.mu.Lock()
	defer u.mu.Unlock()
	created := User{ID: fmt.Sprint("user", len(u.all)+1), Name: user.Name, Age: user.Age}
	u.all = append(u.all, created)
	return created
}

func (u *users) UpdateUser(id string, changes Changes) (User, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := slices.IndexFunc(u.all, func(user User) bool { return user.ID == id })
	if i < 0 {
		return User{}, fmt.Errorf("no user %s", id)
	}
	if changes.Name != nil {
		u.all[i].Name = *changes.Name
	}
	if changes.Age != nil {
		u.all[i].Age = *changes.Age
	}
	for _, client := range u.clients { // under the lock: all clients get all changes in one order
		if err := client.OnUserUpdate(u.all[i]); err != nil {
			log.Print(err)
		}
	}
	return u.all[i], nil
}

func (u *users) opened(ch *kkrpc.Channel, _ *http.Request) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clients[ch] = kkrpc.Remote[ClientAPI](ch)
}

func (u *users) closed(ch *kkrpc.Channel, _ *http.Request, _ error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.clients, ch)
}

// proxy passes on what another server has, as it is: an API of functions in front of one of URLs.
func proxy(base string) kkrpc.Object {
	get := func(ctx context.Context, path string) (json.RawMessage, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
		if err != nil {
			return nil, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("GET %s: %s", path, response.Status)
		}
		var body json.RawMessage
		err = json.NewDecoder(http.MaxBytesReader(nil, response.Body, 1<<20)).Decode(&body)
		return body, err
	}
	return kkrpc.Object{
		"getPosts": func(ctx context.Context) (json.RawMessage, error) { return get(ctx, "/posts") },
		"getUsers": func(ctx context.Context) (json.RawMessage, error) { return get(ctx, "/users") },
	}
}

// elsewhere stands for a server that is not yours.
func elsewhere() string {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /posts", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `[{"id": 1, "title": "Notes"}]`)
	})
	go func() { log.Fatal(http.Serve(listener, mux)) }()
	return "http://" + listener.Addr().String()
}

func main() {
	u := &users{clients: map[*kkrpc.Channel]ClientAPI{}}
	http.Handle("/users", ws.Handler(kkrpc.As[ServerAPI](u), &ws.Options{OnOpen: u.opened, OnClose: u.closed}))
	http.Handle("/api", ws.Handler(proxy(elsewhere()), nil))
	log.Print("serving ws://localhost:3000/users")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
