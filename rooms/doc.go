// Package rooms sends messages to many clients: chat rooms, presence, shared state, and calls of any user's client. It works
// on one process, and on many behind a load balancer.
//
//	type Message struct {
//		ID   uint64 `json:"id"`
//		From string `json:"from"`
//		Text string `json:"text"`
//	}
//
//	hub, err := rooms.NewHub(&rooms.Options[Message]{
//		Number: func(m *Message, seq uint64) { m.ID = seq },
//	})
//
//	api := kkrpc.Object{
//		"join": func(ctx context.Context, room string, onMessage func(message Message)) error {
//			_, err := hub.Room(room).Join(ctx, onMessage, nil)
//			return err
//		},
//		"say": func(ctx context.Context, room, text string) (id uint64, err error) {
//			return hub.Room(room).Publish(ctx, Message{From: "Ada", Text: text})
//		},
//	}
//
// A connection that has joined leaves by itself when it closes. A message is encoded once for each dialect, however many
// members it has.
//
// # Order
//
// Room.Publish stores a message before it sends it, and returns its number. Messages are numbered in the order in which they
// are stored. All members on all nodes get the messages of a room in this order. Numbers grow and have gaps.
// Room.Signal stores nothing: a signal may come before or after a message of the same sender.
//
// # History
//
// A client that connects again passes the Position of its first Join, with the number of the last message that it has got. It
// gets what it has missed, then what is new, without a gap and nothing twice. If the history does not reach back that far,
// Join fails with ErrHistoryLost. Room.History reads earlier messages.
//
// # Slow members
//
// A member never delays another one, nor the sender. If more than Options.Unsent bytes wait on its connection, further
// messages wait for it in the queue of the room. All members share that queue. When it is full, the connection is closed with
// code 1008, or the oldest messages are left out; see Options.SlowConsumer. Stats counts both.
//
// # Presence and state
//
// Hub.Bind says which user a connection belongs to. Room.JoinPresence tells clients who is in a room. [Live] is keyed state of
// the program that clients follow. Both send a snapshot first and then each change.
//
// # Users
//
// Hub.User returns a Caller that calls the client of a user, on whichever node the user is connected:
//
//	ok, err := kkrpc.Call[bool](ctx, hub.User("Ada"), "confirm", "Shall it be done?")
//
// # Several nodes
//
// Nodes that share a [Backplane] are one: rooms, presence, state and users reach over all of them. [Local] is the default, for
// one process. It keeps the messages in memory or in a [Store] of the program, such as a table of a database. Package
// adapter/kknats is a Backplane on NATS JetStream.
//
// When a node dies, its clients connect to another one and resume. Its users are present until Options.Ping has passed. Calls
// of them fail with ErrNodeLost.
//
// # Concurrency
//
// All functions and methods may be called from any goroutine. Join, Publish, History, Users and Bind wait for the Backplane;
// none waits for a member.
//
// # Errors
//
// Errors begin with "rooms: " and the operation. Those that a client can act upon wrap an *kkrpc.Error of this package, which
// crosses with its name: HistoryLostError, NotAMemberError, MessageTooLargeError, UnavailableError, UserNotConnectedError,
// NodeLostError. A client in Go finds such an error by errors.As, and compares its Name.
//
// # Limits
//
// The names of a hub and of a room have 191 bytes together. Options bounds the queues and what a connection joins, and
// MemoryOptions the history. The program decides which rooms a client may name. A
// message is at most as large as the Backplane takes; in memory that is 1 MiB.
//
// # Memory
//
// A member costs less than 300 bytes beside its connection. A room without members costs nothing but its history.
package rooms
