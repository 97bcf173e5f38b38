// Package chat is the API of a chat with rooms. It knows neither HTTP nor WebSockets: a server makes an API for each
// connection, of the user and the room that its request names.
//
//	c, err := chat.New(nil)
//	server := ws.HandlerFor(func(r *http.Request) (any, error) { return c.API("Ada", r.PathValue("room")) }, nil)
package chat

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// Options configures a Chat. Nil and the zero value mean the defaults.
type Options struct {
	// Backplane keeps the messages and connects the processes of the chat. The caller closes it after the Chat. Nil means
	// memory, for one process.
	Backplane rooms.Backplane
	// Text is the size of the longest message in bytes; 0 means 4096.
	Text int
	// Page is how many messages GetMessages returns at most; 0 means 50.
	Page int
	// OnError gets errors that no caller gets. Nil drops them.
	OnError func(error)
}

// Chat has the rooms of a chat. Its methods may be called from any goroutine.
type Chat struct {
	messages   *rooms.Hub[Message]
	typing     *rooms.Hub[Typing]
	text, page int
}

// New returns a Chat. Close ends it.
func New(opts *Options) (*Chat, error) {
	given := Options{}
	if opts != nil {
		given = *opts
	}
	c := &Chat{text: cmp.Or(given.Text, 4096), page: cmp.Or(given.Page, 50)}
	if c.text < 0 || c.page < 0 {
		return nil, fmt.Errorf("chat: Options.Text is %d and Options.Page %d: neither may be negative", c.text, c.page)
	}
	if given.Backplane == nil {
		given.Backplane = rooms.Local(nil) // one for both hubs
	}
	var err error
	c.messages, err = rooms.NewHub(&rooms.Options[Message]{
		Name:      "chat",
		Backplane: given.Backplane,
		Number:    func(m *Message, seq uint64) { m.Seq = seq },
		OnError:   given.OnError,
	})
	if err != nil {
		return nil, err
	}
	c.typing, err = rooms.NewHub(&rooms.Options[Typing]{
		Name:         "typing",
		Backplane:    given.Backplane,
		SlowConsumer: rooms.DropOldest, // soon out of date
		OnError:      given.OnError,
	})
	if err != nil {
		c.messages.Close()
		return nil, err
	}
	return c, nil
}

// Close ends the Chat. Calls of its clients fail from then on.
func (c *Chat) Close() {
	c.typing.Close()
	c.messages.Close()
}

// API returns what a connection of a user to a room may call. The caller has verified the user. The error is that of CheckUser
// or CheckRoom.
func (c *Chat) API(user, room string) (*kkrpc.API, error) {
	if err := CheckUser(user); err != nil {
		return nil, err
	}
	if err := CheckRoom(room); err != nil {
		return nil, err
	}
	return kkrpc.Expose(kkrpc.As[ChatAPI](&member{chat: c, user: user, room: room}))
}

const (
	maxUser = 32 // characters
	maxRoom = 32
	maxID   = 64 // bytes
)

// CheckUser returns an error that says what the name of a user may be, if this is none.
func CheckUser(name string) error {
	printable := !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
	if n := utf8.RuneCountInString(name); n < 1 || n > maxUser || !utf8.ValidString(name) || !printable || strings.TrimSpace(name) != name {
		return fmt.Errorf("the name of a user has 1 to %d printable characters, without spaces around them", maxUser)
	}
	return nil
}

// CheckRoom returns an error that says what the name of a room may be, if this is none.
func CheckRoom(name string) error {
	other := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }
	if len(name) < 1 || len(name) > maxRoom || strings.ContainsFunc(name, other) {
		return fmt.Errorf("the name of a room has 1 to %d small letters, digits and hyphens", maxRoom)
	}
	return nil
}
