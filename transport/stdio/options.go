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

	// silence is Options.RPC.Negotiate for Start. A child of JavaScript takes that long to start.
	silence = time.Second
)

// Options configures all functions of this package. Nil and the zero value mean the defaults.
type Options struct {
	// RPC configures the channel. With a zero Dialect, Start asks the child which generation of kkrpc it has. A child of
	// kkrpc 0.x answers when it is ready, and one of kkrpc 2 after Negotiate, which is 1 s if it is 0 here. Negative means
	// that Start speaks Compact and does not ask. A child recognises the dialect of its parent. Serve ignores Expose, and New uses only Dialect and Limits.
	RPC kkrpc.Options

	// Output gets the output of a child. That is each line that is not a message of the child's dialect, in one Write with
	// its newline. Lines are cut off after 64 KiB, and blank lines are dropped. While a Write blocks, the channel is not
	// read. Nil means os.Stderr.
	Output io.Writer

	// Pipes carries the messages over two pipes of their own instead of standard input and output. The child reads file
	// descriptor 3 and writes to 4. A printed line can then never be taken for a message. Parent and child must both set
	// Pipes. The child keeps its standard input and output. If the command of Start has no Stdout, the output of the child
	// goes to Output as it comes. A line of the pipes that is no message goes to RPC.OnError. For New, Pipes says that
	// nothing but messages arrives. Start, Serve and Open need Unix for Pipes.
	Pipes bool

	// Grace is the time that a child gets to end after its standard input is closed. It gets the same time after it was
	// asked to terminate. Then it is killed. 0 means 2 s. It is for Start only.
	Grace time.Duration

	// StderrTail is the number of last bytes of the child's standard error that an ExitError keeps. 0 means none. All bytes
	// still go to the Stderr of the command, or to this process's standard error if that is nil. StderrTail is for Start
	// only.
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
