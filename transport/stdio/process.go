package stdio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

// settleTime is the largest time between the end of a process and the end of its output, in either order.
const settleTime = time.Second

// Process is a child process and the channel to it. Calls use the Channel, which closes when the child ends. If the
// channel closes first, for whatever reason, the child is ended as by Close.
type Process struct {
	*kkrpc.Channel

	cmd    *exec.Cmd
	conn   *conn
	grace  time.Duration
	stderr *tail // nil without Options.StderrTail
	pipes  bool

	exited chan struct{} // closed once the process has been waited for
	exit   *ExitError    // its State is set before exited is closed
}

// Start starts cmd and a channel over its standard input and output. Stdin and Stdout of cmd must be nil. With
// Options.Pipes, ExtraFiles must be nil instead. A nil Stderr becomes the standard error of this process. When ctx ends,
// Start ends the child like Close. The contexts of handlers have the values of ctx.
//
// Name the runtime itself in cmd. A launcher such as npx stands between this process and the child. The child would
// outlive the launcher.
func Start(ctx context.Context, cmd *exec.Cmd, opts *Options) (*Process, error) {
	o := opts.withDefaults()
	switch {
	case o.RPC.Dialect != 0:
	case o.RPC.Negotiate < 0:
		o.RPC.Dialect = kkrpc.Compact
	default:
		o.RPC.Negotiate = cmp.Or(o.RPC.Negotiate, silence)
	}
	api, err := kkrpc.Expose(o.RPC.Expose) // before the process: a mistake here is not the child's
	if err != nil {
		return nil, err
	}
	o.RPC.Expose = api
	if err := ctx.Err(); err != nil {
		return nil, startError(cmd, context.Cause(ctx))
	}
	switch {
	case !o.Pipes && (cmd.Stdin != nil || cmd.Stdout != nil):
		return nil, startError(cmd, errors.New("the command's Stdin and Stdout must be nil, since they carry the channel"))
	case o.Pipes && cmd.ExtraFiles != nil:
		return nil, startError(cmd, errors.New("the command's ExtraFiles must be nil, since descriptors 3 and 4 carry the channel"))
	case o.Pipes && cmd.Stdout == nil:
		cmd.Stdout = o.Output
	}
	p := &Process{cmd: cmd, grace: o.Grace, pipes: o.Pipes, exited: make(chan struct{}), exit: new(ExitError)}
	if cmd.Stderr == nil {
		cmd.Stderr = os.Stderr
	}
	if o.StderrTail > 0 {
		p.stderr = &tail{w: cmd.Stderr, limit: o.StderrTail}
		cmd.Stderr = p.stderr
	}
	if cmd.WaitDelay == 0 {
		cmd.WaitDelay = settleTime // a grandchild may keep standard error open
	}
	r, w, err := startPiped(cmd, o.Pipes)
	if err != nil {
		return nil, startError(cmd, err)
	}
	p.conn = newConn(newSource(r), newSink(w), o)
	p.conn.linger = 0 // wait cuts it
	p.conn.explain = p.explain
	p.Channel, err = kkrpc.New(ctx, p.conn, &o.RPC)
	if err != nil { // not to be expected: the API was compiled above
		_ = p.conn.Close(1000, "")
		_ = cmd.Process.Kill()
	}
	go p.wait() // ends with the process
	if err != nil {
		return nil, err
	}
	go p.supervise() // ends with the process
	return p, nil
}

func startError(cmd *exec.Cmd, err error) error {
	return fmt.Errorf("stdio: start %s: %w", filepath.Base(cmd.Path), err)
}

// startPiped starts cmd and returns this side's ends of its standard output and input, or of its descriptors 4 and 3.
// Wait of package exec would close its own pipes before all output is read.
func startPiped(cmd *exec.Cmd, extra bool) (r, w *os.File, err error) {
	theirs, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	r, ours, err := os.Pipe()
	if err != nil {
		_ = theirs.Close()
		_ = w.Close()
		return nil, nil, err
	}
	if extra {
		cmd.ExtraFiles = []*os.File{theirs, ours}
	} else {
		cmd.Stdin, cmd.Stdout = theirs, ours
	}
	err = cmd.Start()
	_ = theirs.Close()
	_ = ours.Close()
	if err != nil {
		if extra {
			cmd.ExtraFiles = nil
		} else {
			cmd.Stdin, cmd.Stdout = nil, nil
		}
		_ = r.Close()
		_ = w.Close()
		return nil, nil, err
	}
	return r, w, nil
}

// wait waits for the process and then bounds the time to the end of its output, which a grandchild may keep open.
func (p *Process) wait() {
	_ = p.cmd.Wait() // what it says is in State
	p.exit.State = p.cmd.ProcessState
	if p.stderr != nil {
		p.exit.Stderr = p.stderr.bytes()
	}
	close(p.exited)
	limit := time.AfterFunc(settleTime, p.conn.cut)
	<-p.conn.drained // the channel closes when the output ends
	limit.Stop()
}

// noPipes is what a user has to do if a child wrote nothing to its descriptor 4.
const noPipes = "a child must use descriptors 3 and 4 too (Options.Pipes)"

// explain turns the error that ended reading or writing into its cause, which often is the end of the child.
func (p *Process) explain(err error) error {
	unpiped := p.pipes && !p.conn.heard.Load()
	if errors.Is(err, kkrpc.ErrLimit) || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	limit := time.NewTimer(settleTime)
	defer limit.Stop()
	select {
	case <-p.exited:
		if unpiped && p.exit.State != nil && p.exit.State.Success() {
			return fmt.Errorf("%w; nothing came over its descriptor 4: %s", p.exit, noPipes)
		}
		return p.exit
	case <-p.conn.closed:
		return errOwnClose
	case <-limit.C:
	}
	if errors.Is(err, io.EOF) && unpiped {
		return fmt.Errorf("stdio: the child has closed its descriptor 4; nothing came over it: %s", noPipes)
	} else if errors.Is(err, io.EOF) && p.pipes {
		return errors.New("stdio: the child has closed its descriptor 4")
	} else if errors.Is(err, io.EOF) {
		return errors.New("stdio: the child has closed its standard output")
	}
	return fmt.Errorf("stdio: the child lives, but: %w", err)
}

// supervise ends the process once the channel has closed. Standard input is closed then, and most children end.
func (p *Process) supervise() {
	<-p.Channel.Done()
	if p.ended(p.grace) {
		return
	}
	if p.cmd.Process.Signal(syscall.SIGTERM) == nil && p.ended(p.grace) { // Windows has no such signal
		return
	}
	_ = p.cmd.Process.Kill()
}

// ended reports whether the process ends within limit.
func (p *Process) ended(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.exited:
		return true
	case <-timer.C:
		return false
	}
}

// Close closes the channel after the queued messages are sent. It closes the child's standard input and waits for the
// child to end. After Options.Grace it asks the child to terminate, and after another Grace it kills the child. BunIo
// and DenoIo of kkrpc 0.2 never end by themselves. Options.Output must not call Close. The error is always nil, and
// Close of a nil Process does nothing.
func (p *Process) Close() error {
	if p == nil {
		return nil
	}
	limit := time.AfterFunc(p.grace, func() { _ = p.conn.Close(1000, "") }) // a child that does not read cannot hold it up
	_ = p.Channel.Close()
	limit.Stop()
	<-p.exited
	<-p.conn.drained
	return nil
}

// Wait waits until the child has ended and its output has been read. The error is an *ExitError unless its exit status
// is 0. Wait may be called more than once and from any goroutine.
func (p *Process) Wait() error {
	<-p.exited
	<-p.conn.drained
	if s := p.exit.State; s != nil && s.Success() {
		return nil
	}
	return p.exit
}
