package stdio

import (
	"context"
	"errors"
	"sync/atomic"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

// Serve exposes api to the parent of this process, over a channel that it makes like Open. It blocks until the parent
// closes the input of the channel, until ctx ends, or until the channel closes otherwise. The error is nil if the parent
// or a handler closed the channel. Otherwise it is the channel's Err.
//
//	func main() {
//		if err := stdio.Serve(context.Background(), api, nil); err != nil {
//			log.Fatal(err)
//		}
//	}
func Serve(ctx context.Context, api any, opts *Options) error {
	o := opts.withDefaults()
	o.RPC.Expose = api
	ch, c, err := open(ctx, o)
	if err != nil {
		return err
	}
	<-ch.Done()
	<-c.closed                                                  // code is set
	if (c.code == 1000 || c.code == 1001) && ctx.Err() == nil { // closed, or shut down
		return nil
	}
	return ch.Err()
}

// Open returns the channel to the parent of this process, over standard input and output. The channel lives until the
// parent closes standard input, until it is closed, or until ctx ends. Unless Options.RPC.Dialect is set, calls to the
// parent wait for the parent's first message, which shows its dialect.
//
// Standard input and output then belong to the channel until the process ends. Output of this process goes to its
// standard error instead, and its standard input reads as empty. On Unix this holds for the file descriptors: also for
// C code, child processes and code that kept os.Stdout. On other systems it holds for the variables os.Stdin and
// os.Stdout. Call Open first in main. After an Open or Serve that succeeded, a second one fails.
//
// With Options.Pipes the channel has descriptors 3 and 4 instead, and standard input and output stay as they are. Open
// fails if the parent has not made them pipes or sockets.
func Open(ctx context.Context, opts *Options) (*kkrpc.Channel, error) {
	ch, _, err := open(ctx, opts.withDefaults())
	return ch, err
}

// The descriptors of a child that Options.Pipes names.
const (
	pipeIn  = 3
	pipeOut = 4
)

// taken is set while a channel has, or takes, the descriptors that lead to the parent.
var taken atomic.Bool

func open(ctx context.Context, o Options) (*kkrpc.Channel, *conn, error) {
	api, err := kkrpc.Expose(o.RPC.Expose) // before anything is taken over
	if err != nil {
		return nil, nil, err
	}
	o.RPC.Expose = api
	if !taken.CompareAndSwap(false, true) {
		return nil, nil, errors.New("stdio: this process already has a channel to its parent")
	}
	take := takeStandard
	if o.Pipes {
		take = takePipes
	}
	in, out, err := take()
	if err != nil {
		taken.Store(false)
		return nil, nil, err
	}
	c := newConn(newSource(in), newSink(out), o)
	ch, err := kkrpc.New(ctx, c, &o.RPC)
	if err != nil {
		_ = c.Close(1000, "")
		return nil, nil, err
	}
	return ch, c, nil
}
