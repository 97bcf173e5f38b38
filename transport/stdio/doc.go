// Package stdio carries kkrpc between a process and the one that started it, over the child's standard input and output,
// one message a line. The other side is Go, or kkrpc in Node, Bun or Deno.
//
// A parent starts a child, calls it, and is called by it:
//
//	child, err := stdio.Start(ctx, exec.Command("node", "child.mjs"), nil)
//	if err != nil {
//		return err
//	}
//	defer child.Close()
//	greeting, err := kkrpc.Call[string](ctx, child.Channel, "greet", "World")
//
// A child serves its parent until that closes the child's standard input:
//
//	err := stdio.Serve(ctx, kkrpc.Object{
//		"greet": func(name string) string { return "Hello, " + name + "!" },
//	}, nil)
//
// On the TypeScript side it is nodeStdioTransport of kkrpc 2, and NodeIo, BunIo or DenoIo of kkrpc 0. A parent says which
// generation its child speaks (Options.RPC.Dialect, compact if unset); a child finds out. [New] is for any other pair
// of a reader and a writer.
//
// # Printing
//
// Programs print, and what they print must not damage the channel. A line from the peer that is no message goes to
// Options.Output: what a child prints by console.log appears on the parent's standard error unless that says otherwise.
// A line is a message if it is a JSON object with the mark of one: a t or a type as the two generations write them. In a
// Go child that called [Serve] or [Open], standard output is standard error: fmt.Println is safe.
//
// # The end
//
// When a child ends, calls that wait for it fail with an error that wraps kkrpc.ErrClosed and an [*ExitError], which has
// the exit status and, if asked for, the end of what it wrote to standard error. When the channel closes first, by either
// side or by a limit, the child's standard input is closed, and a child that does not end by itself is asked to
// terminate and then killed (Options.Grace). Every child is waited for: none is left as a zombie. A parent that dies
// closes its children's standard input too; a child that does not heed that lives on. BunIo and DenoIo of kkrpc 0.2 do
// not, and keep a processor busy: in Bun and Deno use NodeIo, with process.stdin and process.stdout.
//
// There is no way to tell the peer why the channel closes, and nothing tells that a peer hangs: give calls a deadline.
//
// # Concurrency
//
// Methods of a [Process] may be called from any goroutine.
//
// # Limits
//
// Of kkrpc.Limits this package enforces Frame and Write: a line that may be a message and is longer than Frame ends the
// channel, and so does a peer that takes no data for as long as Write. Other lines are cut off after 64 KiB. Nothing is
// read ahead of the channel but one buffer, so a child that floods waits.
package stdio
