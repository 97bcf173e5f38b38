// Package embedded runs a NATS server inside a program, so that the program needs no other software for its rooms. One
// server keeps the rooms of one process over restarts. Three or five in as many processes form a cluster.
//
//	server, err := embedded.Start(&embedded.Options{Store: "/var/lib/chat"})
//	if err != nil {
//		return err
//	}
//	defer server.Shutdown()
//	backplane, err := server.Connect(ctx, nil)
//
// # A cluster
//
// Each process has a store of its own, listens for the others, and has the list of all:
//
//	embedded.Start(&embedded.Options{
//		Store:  "/var/lib/chat",
//		Listen: "10.0.0.1:6222",
//		Nodes:  []string{"10.0.0.1:6222", "10.0.0.2:6222", "10.0.0.3:6222"},
//		Secret: os.Getenv("CHAT_SECRET"),
//	})
//
// At the first start, Connect waits until most of the servers are there. Later the cluster works while most of them are: two
// of three, three of five. A cluster of two needs both. A server keeps its place in the cluster by the name in its store. A
// server that lost its store is a new one: remove the old one by the NATS command line.
//
// # Restarting
//
// Shutdown passes on what the server leads, so that the others wait for half a second at most. When you restart one process
// after another, wait for [Server.Health] before the next.
//
// The server handles no signals. The program does, and calls Shutdown. It closes the backplane before.
package embedded
