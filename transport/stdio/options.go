package stdio

import (
	"cmp"
	"io"
	"os"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

const (
	defaultFrame = 4 << 20
	defaultWrite = 30 * time.Second
	defaultGrace = 2 * time.Second
)

// Options configures all functions of this package. Nil and the zero value mean the defaults.
type Options struct {
	// RPC is how the channel behaves. For Start a zero Dialect means Compact; a child finds out what its parent
	// speaks. Serve ignores Expose, New all but Limits.
	RPC kkrpc.Options

	// Output gets the lines that are no messages, such as what a child prints: each in one Write with its newline, cut
	// off after 64 KiB. Blank lines are dropped. While a Write blocks, the channel is not read. Nil means os.Stderr.
	Output io.Writer

	// Grace is how long a child may take to end once its standard input is closed, and again once it was asked to
	// terminate, before it is killed; 0 means 2 s. For Start only.
	Grace time.Duration

	// StderrTail is of how many bytes, at the end of what the child writes to its standard error, an ExitError has a
	// copy; 0 means none. Either way all of it goes to the Stderr of the command, or to this process's standard error
	// if that is nil. For Start only.
	StderrTail int
}

// withDefaults returns a copy of o, which may be nil, with what this package needs of it set.
func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Output == nil {
		c.Output = os.Stderr
	}
	c.Grace = cmp.Or(max(c.Grace, 0), defaultGrace)
	c.StderrTail = max(c.StderrTail, 0)
	return c
}
