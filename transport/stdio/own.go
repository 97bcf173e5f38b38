package stdio

import (
	"context"
	"errors"
	"sync/atomic"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

// Serve exposes api to the parent of this process. It takes over standard input and output as Open does. It blocks
// until the parent closes standard input, until ctx ends, or until the channel closes otherwise. The error is nil when
// the parent or a handler closed the channel. Otherwise it is the channel's Err.
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
	<-c.closed // code is set
	if c.code == 1000 && ctx.Err() == nil {
		return nil
	}
	return ch.Err()
}

// Open returns the channel to the parent of this process, over standard input and output. It lives until the parent
// closes standard input, until it is closed, or until ctx ends. Unless Options.RPC.Dialect is set, calls to the parent
// wait for its first message, which shows its dialect.
//
// Standard input and output then belong to the channel until the process ends. Output of this process goes to its
// standard error instead, and its standard input reads as empty. On Unix this holds for the file descriptors: also for
// C code, child processes and code that kept os.Stdout. On other systems it holds for the variables os.Stdin and
// os.Stdout. Call Open first in main. A second Open or Serve fails.
func Open(ctx context.Context, opts *Options) (*kkrpc.Channel, error) {
	ch, _, err := open(ctx, opts.withDefaults())
	return ch, err
}

// standardTaken is set once standard input and output belong to a channel.
var standardTaken atomic.Bool

func open(ctx context.Context, o Options) (*kkrpc.Channel, *conn, error) {
	api, err := kkrpc.Expose(o.RPC.Expose) // before anything is taken over
	if err != nil {
		return nil, nil, err
	}
	o.RPC.Expose = api
	if !standardTaken.CompareAndSwap(false, true) {
		return nil, nil, errors.New("stdio: standard input and output already belong to a channel")
	}
	in, out, err := takeStandard()
	if err != nil {
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
