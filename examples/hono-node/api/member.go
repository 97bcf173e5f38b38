package main

import (
	"context"

	"github.com/kkrpc-go/kkrpc"
)

// ChatAPI is what a client may call.
type ChatAPI interface {
	Greet() string
	JoinRoom(ctx context.Context, room string, onMessage func(message Message)) error
	SendMessage(message, room string) (reached int, err error)
	GetMessages(room string) ([]Message, error)
	LeaveRoom(ctx context.Context, room string) error
}

// member is the API of one connection, which belongs to one user and one room.
type member struct {
	name string
	room *room
}

// allow fails for a room that is not that of the connection.
func (m *member) allow(name string) error {
	if name == m.room.name {
		return nil
	}
	return &kkrpc.Error{Name: "AccessDenied", Message: "Access denied", Fields: map[string]any{"room": name}}
}

func (m *member) Greet() string { return "Hello, " + m.name + "!" }

func (m *member) JoinRoom(ctx context.Context, room string, onMessage func(message Message)) error {
	if err := m.allow(room); err != nil {
		return err
	}
	m.room.join(kkrpc.FromContext(ctx), kkrpc.CallbackOf(onMessage))
	return nil
}

func (m *member) SendMessage(message, room string) (reached int, err error) {
	if err := m.allow(room); err != nil {
		return 0, err
	}
	if len(message) > maxText {
		return 0, &kkrpc.Error{Name: "RangeError", Message: "the message is too long", Fields: map[string]any{"bytes": maxText}}
	}
	return m.room.send(Message{From: m.name, Text: message}), nil
}

func (m *member) GetMessages(room string) ([]Message, error) {
	if err := m.allow(room); err != nil {
		return nil, err
	}
	return m.room.history(), nil
}

func (m *member) LeaveRoom(ctx context.Context, room string) error {
	if err := m.allow(room); err != nil {
		return err
	}
	m.room.leave(kkrpc.FromContext(ctx))
	return nil
}
