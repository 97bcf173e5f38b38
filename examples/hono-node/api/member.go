package main

import (
	"context"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

type Message struct {
	From string `json:"from"`
	Text string `json:"text"`
}

const (
	kept    = 100     // messages that a room remembers
	maxText = 4 << 10 // bytes of one
)

// ChatAPI is what a client may call.
type ChatAPI interface {
	Greet() string
	JoinRoom(ctx context.Context, room string, onMessage func(message Message)) error
	SendMessage(ctx context.Context, message, room string) (reached int, err error)
	GetMessages(ctx context.Context, room string) ([]Message, error)
	LeaveRoom(ctx context.Context, room string) error
}

// member is the API of one connection, which belongs to one user and one room.
type member struct {
	name string
	room *rooms.Room[Message]
}

// allow fails for a room that is not that of the connection.
func (m *member) allow(name string) error {
	if name == m.room.Name() {
		return nil
	}
	return &kkrpc.Error{Name: "AccessDenied", Message: "Access denied", Fields: map[string]any{"room": name}}
}

func (m *member) Greet() string { return "Hello, " + m.name + "!" }

func (m *member) JoinRoom(ctx context.Context, room string, onMessage func(message Message)) error {
	if err := m.allow(room); err != nil {
		return err
	}
	_, err := m.room.Join(ctx, onMessage, nil)
	return err
}

func (m *member) SendMessage(ctx context.Context, message, room string) (reached int, err error) {
	if err := m.allow(room); err != nil {
		return 0, err
	}
	if len(message) > maxText {
		return 0, &kkrpc.Error{Name: "RangeError", Message: "the message is too long", Fields: map[string]any{"bytes": maxText}}
	}
	if _, err := m.room.Publish(ctx, Message{From: m.name, Text: message}); err != nil {
		return 0, err
	}
	return m.room.Members(), nil
}

func (m *member) GetMessages(ctx context.Context, room string) ([]Message, error) {
	if err := m.allow(room); err != nil {
		return nil, err
	}
	return m.room.History(ctx, 0, kept)
}

func (m *member) LeaveRoom(ctx context.Context, room string) error {
	if err := m.allow(room); err != nil {
		return err
	}
	return m.room.Leave(ctx)
}
