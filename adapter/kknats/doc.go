// Package kknats connects the rooms of many processes by NATS JetStream. It is a [rooms.Backplane]: what one process
// publishes reaches the members of the room in all of them, in one order, and messages outlive the processes.
//
// The servers are either a NATS cluster that exists:
//
//	backplane, err := kknats.Connect(ctx, &kknats.Options{URL: "nats://a:4222,nats://b:4222"})
//
// or part of the program itself, by package embedded. Three processes of one program then form a cluster without any other
// software:
//
//	server, err := embedded.Start(&embedded.Options{Store: "/var/lib/chat", Listen: "10.0.0.1:6222", Nodes: nodes, Secret: secret})
//	if err != nil {
//		return err
//	}
//	defer server.Shutdown()
//	backplane, err := server.Connect(ctx, nil)
//
// Programs that connect by URL do not link the server. It needs NATS 2.12 or later.
//
// # What the servers keep
//
// Two streams keep all logs and all tables, PREFIX_logs and PREFIX_tables. A log keeps the last messages, as many as
// Options.History says. Options.Bytes and Options.MaxAge bound all logs together, so that the oldest messages of quiet logs go
// first. Core NATS carries topics and requests, which nobody keeps.
//
// Most servers have a message on their disks when it is acknowledged, if they sync. Otherwise it may still be in the memory
// of their operating systems. NATS servers sync if sync_interval is "always". Embedded servers sync.
//
// # When servers or connections fail
//
// With Options.Replicas 3, one server may fail. If it was the leader of a stream, the others elect a new one in 5 to 10 s.
// Until then, nothing can be appended, and reading waits. After an orderly shutdown this takes half a second. With one
// replica, everything waits until its server is back. With two, both are needed.
//
// Append and Put try again until their ctx ends, or for Options.Timeout if it has no deadline. They store a message once,
// however often they send it. If they fail nevertheless, the error wraps rooms.ErrUnavailable. The message may have been
// stored then, or may be stored a moment later.
//
// Follow and Watch go on after elections, restarts and lost connections, without a gap and without a message twice. They end
// with Lost in these cases:
//
//   - A node was cut off for so long that messages of the log were discarded meanwhile, or that the tables have
//     forgotten a deletion (Options.Deleted).
//   - Somebody deleted the stream. The nodes make a new one, and the epoch of Bounds changes.
//   - Follow was to begin after a number that is not in the log any more. The number 0 begins with the oldest message that is
//     kept, whatever was discarded before.
//
// Do not delete single messages or purge single subjects of the streams: the nodes would not notice.
//
// # Concurrency
//
// All methods may be called from any goroutine. One goroutine for each stream passes on what the node follows and watches. A
// function that blocks holds up all of them. Each Subscribe and Respond has a goroutine of its own.
//
// Every node gets all messages of all logs, and passes on those that it follows. So a node may follow any number of logs at
// no cost. But each node of a program has the traffic of all rooms. Options.Prefix separates programs, or parts of one.
//
// # Errors
//
// Errors wrap those of package rooms: ErrUnavailable if the servers cannot be reached, have no leader, or the backplane is
// closed; ErrTooLarge for a message over the servers' max_payload less 2 KiB, by default 1 MiB; ErrName; ErrNoResponder. Put
// returns another error if the tables are full.
//
// # Limits
//
// All limits are in [Options]. Names have 1 to 200 bytes of any UTF-8. In subjects, percent signs escape all of a name but
// letters, digits, hyphens and underscores.
package kknats
