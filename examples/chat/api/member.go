package chat

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// Message is what a user has said in a room.
type Message struct {
	// Seq is the number of the message in its room. Numbers grow and have gaps.
	Seq uint64 `json:"seq"`
	// ID is what the sender calls the message.
	ID   string    `json:"id"`
	User string    `json:"user"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// Typing says that a user is writing.
type Typing struct {
	User string `json:"user"`
}

// Joined is where the room was when the client joined.
type Joined struct {
	rooms.Position
	// Reset is true if not all messages after the given position are kept. The client loads the latest ones anew.
	Reset bool `json:"reset"`
}

// ChatAPI is what a client may call. A connection belongs to one user and one room. Other rooms are denied.
type ChatAPI interface {
	// SendMessage stores a message, sends it to all who have joined the room, and returns its number. A client that gets no
	// answer repeats the message with the same id, and it is stored once. Without an id the server chooses one.
	//
	//kkrpc:throws ErrDenied ErrText ErrID
	SendMessage(ctx context.Context, message, room string, id *string) (seq uint64, err error)

	// GetMessages returns the last messages before a number, oldest first. Without a number they are the latest.
	//
	//kkrpc:throws ErrDenied
	GetMessages(ctx context.Context, room string, before *uint64) ([]Message, error)

	// JoinRoom has onMessage called with each new message, in the order of their numbers. A client that comes back passes the
	// position of its first JoinRoom, with the number of the last message that it has got. It gets what it has missed first.
	//
	//kkrpc:throws ErrDenied
	JoinRoom(ctx context.Context, room string, onMessage func(message Message), after *rooms.Position) (Joined, error)

	// WatchPresence has onChange called with who is in the room, and then with each change. LeaveRoom ends it.
	//
	//kkrpc:throws ErrDenied
	WatchPresence(ctx context.Context, room string, onChange func(update rooms.Update[string, int])) error

	// WatchTyping has onTyping called whenever somebody writes. LeaveRoom ends it.
	//
	//kkrpc:throws ErrDenied
	WatchTyping(ctx context.Context, room string, onTyping func(typing Typing)) error

	// Typing tells the others that the user writes.
	//
	//kkrpc:throws ErrDenied
	Typing(room string) error

	// LeaveRoom ends what JoinRoom, WatchPresence and WatchTyping have begun.
	//
	//kkrpc:throws ErrDenied
	LeaveRoom(ctx context.Context, room string) error

	// Ping does nothing. Its answer tells that the connection works.
	Ping()
}

// Errors that clients get.
var (
	// ErrDenied means that the connection belongs to another room.
	ErrDenied = &kkrpc.Error{Name: "AccessDeniedError", Message: "Access denied"}
	// ErrText means that a message is empty or too long. Its field bytes is the size of the longest one.
	ErrText = &kkrpc.Error{Name: "MessageTextError", Message: "a message needs a text, which must not be too long"}
	// ErrID means that the id of a message is empty or longer than 64 bytes.
	ErrID = &kkrpc.Error{Name: "MessageIDError", Message: "the id of a message has 1 to 64 bytes"}
)

// member is the ChatAPI of one connection.
type member struct {
	chat       *Chat
	user, room string
}

// allow fails for a room that is not that of the connection.
func (m *member) allow(room string) error {
	if room != m.room {
		return ErrDenied
	}
	return nil
}

func (m *member) SendMessage(ctx context.Context, message, room string, id *string) (seq uint64, err error) {
	if err := m.allow(room); err != nil {
		return 0, err
	}
	if strings.TrimSpace(message) == "" || len(message) > m.chat.text {
		return 0, &kkrpc.Error{
			Name:    ErrText.Name,
			Message: fmt.Sprintf("a message has a text of at most %d bytes, and this one has %d", m.chat.text, len(message)),
			Fields:  map[string]any{"bytes": m.chat.text},
		}
	}
	if id == nil {
		own := rand.Text()
		id = &own
	}
	if *id == "" || len(*id) > maxID {
		return 0, ErrID
	}
	// The ids of different users are apart, so that nobody can keep a message of somebody else from being stored.
	return m.chat.messages.Room(room).PublishOnce(ctx, m.user+"/"+*id, Message{ID: *id, User: m.user, Text: message, At: time.Now().UTC()})
}

func (m *member) GetMessages(ctx context.Context, room string, before *uint64) ([]Message, error) {
	if err := m.allow(room); err != nil {
		return nil, err
	}
	end := uint64(0)
	if before != nil {
		end = *before
	}
	return m.chat.messages.Room(room).History(ctx, end, m.chat.page)
}

func (m *member) JoinRoom(ctx context.Context, room string, onMessage func(message Message), after *rooms.Position) (Joined, error) {
	if err := m.allow(room); err != nil {
		return Joined{}, err
	}
	if err := m.chat.messages.Bind(ctx, m.user); err != nil {
		return Joined{}, err
	}
	at, err := m.chat.messages.Room(room).Join(ctx, onMessage, &rooms.JoinOptions{After: after})
	reset := errors.Is(err, rooms.ErrHistoryLost)
	if reset {
		at, err = m.chat.messages.Room(room).Join(ctx, onMessage, nil)
	}
	return Joined{at, reset}, err
}

func (m *member) WatchPresence(ctx context.Context, room string, onChange func(update rooms.Update[string, int])) error {
	if err := m.allow(room); err != nil {
		return err
	}
	return m.chat.messages.Room(room).JoinPresence(ctx, onChange, nil)
}

func (m *member) WatchTyping(ctx context.Context, room string, onTyping func(typing Typing)) error {
	if err := m.allow(room); err != nil {
		return err
	}
	_, err := m.chat.typing.Room(room).Join(ctx, onTyping, nil)
	return err
}

func (m *member) Typing(room string) error {
	if err := m.allow(room); err != nil {
		return err
	}
	return m.chat.typing.Room(room).Signal(Typing{User: m.user})
}

func (m *member) LeaveRoom(ctx context.Context, room string) error {
	if err := m.allow(room); err != nil {
		return err
	}
	ch := kkrpc.FromContext(ctx)
	m.chat.typing.Room(room).LeaveChannel(ch)
	m.chat.messages.Room(room).LeaveChannel(ch)
	return nil
}

func (m *member) Ping() {}
