// Package stdio carries kkrpc between a parent process and its child. It uses the child's standard input and output,
// with one message a line. The other side is Go, or kkrpc in Node, Bun or Deno.
//
// A parent starts a child, calls it, and answers its calls:
//
//	child, err := stdio.Start(ctx, exec.Command("node", "child.mjs"), nil)
//	if err != nil {
//		return err
//	}
//	defer child.Close()
//	greeting, err := kkrpc.Call[string](ctx, child.Channel, "greet", "World")
//
// A child serves its parent until the parent closes the child's standard input:
//
//	err := stdio.Serve(ctx, kkrpc.Object{
//		"greet": func(name string) string { return "Hello, " + name + "!" },
//	}, nil)
//
// The TypeScript side uses nodeStdioTransport of kkrpc 2, or NodeIo of kkrpc 0.x. A parent asks its child for its
// generation, unless Options.RPC.Dialect is set. A child of kkrpc 2 is known after a second; Dialect: kkrpc.Compact spares
// that time. A child recognises the generation of its parent. [New] is for any other pair of a reader and a writer.
//
// # Printing
//
// The output of a program must not damage the channel. A line from the peer that is not a message goes to
// Options.Output. The output of console.log in a child therefore appears on the parent's standard error, unless
// Options.Output is set. A message is a line that the channel takes: complete, and in the dialect of the child. A JSON
// log line with a member t or type is output. In a Go child that called [Serve] or [Open], standard output is standard
// error, so fmt.Println is safe.
//
// A stranger who can make a child print a line of his choice can send the parent a message. [Options].Pipes prevents
// that: messages then have two pipes of their own, the child's descriptors 3 and 4. A line of these pipes that is no
// message goes to RPC.OnError.
//
// # The end
//
// When a child ends, pending calls fail with an error that wraps kkrpc.ErrClosed and an [*ExitError]. That has the exit
// status and, if Options.StderrTail is set, the end of the child's standard error.
//
// When the channel closes first, the child's standard input is closed. A child that does not end is asked to terminate
// and then killed (Options.Grace). Every child is waited for, so none becomes a zombie.
//
// Shutdown of a Process first answers the calls of the child that run. A child that is to end by itself opens its channel
// with [Open] and calls Shutdown.
//
// When a parent dies, the standard input of its children closes too. A child that ignores this lives on. BunIo and
// DenoIo of kkrpc 0.2 ignore it and keep a processor busy. In Bun and Deno, use NodeIo with process.stdin and
// process.stdout.
//
// The peer cannot learn why the channel closes, and this side cannot notice that a peer hangs. Give calls a deadline.
//
// # Concurrency
//
// Methods of a [Process] may be called from any goroutine.
//
// # Limits
//
// This package enforces Frame and Write of kkrpc.Limits. A line that may be a message and is longer than Frame ends the
// channel. A peer that reads nothing for the time Write ends it too. Other lines are cut off after 64 KiB. The
// package reads at most one buffer ahead of the channel. A child that floods its output has to wait.
package stdio
