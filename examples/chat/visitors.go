package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/kkrpc-go/kkrpc/rooms"

	chat "github.com/kkrpc-go/kkrpc/examples/chat/api"
	"github.com/kkrpc-go/kkrpc/examples/chat/signin"
)

const (
	cookieName  = "chat"
	sessionLife = 30 * 24 * time.Hour
	ticketLife  = 30 * time.Second
	usedTickets = "tickets" // the log of the backplane that has the tickets that were used
)

// visitors knows who sends a request.
type visitors struct {
	key    signin.Key
	used   rooms.Backplane // which all processes share, so that a ticket that one has made another takes, and only once
	secure bool
	rooms  []string
}

// user returns who sends a request: what the header Authorization of a program says, or the cookie of this server's page.
func (v *visitors) user(r *http.Request) (string, error) {
	token, is := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !is {
		cookie, err := r.Cookie(cookieName)
		if err != nil {
			return "", signin.ErrClaim
		}
		token = cookie.Value
	}
	claim, err := v.key.Verify(signin.Session, token, time.Now())
	return claim.User, err
}

// userOfTicket returns who opens a connection with a ticket, and uses the ticket up.
func (v *visitors) userOfTicket(ctx context.Context, ticket string) (string, error) {
	claim, err := v.key.Verify(signin.Ticket, ticket, time.Now())
	if err != nil {
		return "", err
	}
	return claim.User, v.use(ctx, claim.ID)
}

// use fails unless it is the first to use a ticket: whose message is the one that the backplane has by the ticket's id.
func (v *visitors) use(ctx context.Context, ticket string) error {
	own := rand.Text()
	seq, err := v.used.Append(ctx, usedTickets, ticket, []byte(own))
	if err != nil {
		return err
	}
	stored, err := v.used.After(ctx, usedTickets, seq-1, 1)
	if err != nil {
		return err
	}
	if len(stored) == 0 || stored[0].Seq != seq || string(stored[0].Data) != own {
		return signin.ErrClaim
	}
	return nil
}

// visitor is what a page learns about its user.
type visitor struct {
	User  string   `json:"user"`
	Rooms []string `json:"rooms"` // that everybody finds in the list
}

// session tells a page who its user is.
func (v *visitors) session(w http.ResponseWriter, r *http.Request) {
	user, err := v.user(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	v.answer(w, visitor{user, v.rooms})
}

// signIn gives a page the cookie of a user. Scripts cannot read it, and pages of other sites cannot have it sent.
func (v *visitors) signIn(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name string `json:"name"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&in); err != nil {
		http.Error(w, `the body is no JSON like {"name": "Ada"}`, http.StatusBadRequest)
		return
	}
	name := strings.TrimSpace(in.Name)
	if err := chat.CheckUser(name); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	v.setCookie(w, v.key.Sign(signin.Session, name, time.Now().Add(sessionLife)), sessionLife)
	v.answer(w, visitor{name, v.rooms})
}

func (v *visitors) signOut(w http.ResponseWriter, _ *http.Request) {
	v.setCookie(w, "", -time.Second)
	w.WriteHeader(http.StatusNoContent)
}

func (v *visitors) setCookie(w http.ResponseWriter, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: int(life / time.Second),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: v.secure,
	})
}

// ticket makes a ticket for one connection. A page of another server gets it by the header Authorization, which a page cannot
// set for a WebSocket.
func (v *visitors) ticket(w http.ResponseWriter, r *http.Request) {
	user, err := v.user(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	v.answer(w, map[string]string{"ticket": v.key.Sign(signin.Ticket, user, time.Now().Add(ticketLife))})
}

func (v *visitors) answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(value) // it fails if the client is gone
}
