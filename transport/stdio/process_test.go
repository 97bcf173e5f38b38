package stdio_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/stdio"
)

// short is for waits that end because something does not happen.
const short = 50 * time.Millisecond

// children are what TestMain can be instead of the tests.
var children = map[string]func(){
	"serve": func() {
		err := stdio.Serve(context.Background(), childAPI, nil)
		fmt.Fprintln(os.Stderr, "served:", err)
	},
	"talkative": func() {
		stdout := os.Stdout
		fmt.Println("before")
		err := stdio.Serve(context.Background(), kkrpc.Object{"talk": func() string {
			fmt.Println("println")
			fmt.Fprintln(stdout, "a variable of before")
			cmd := exec.Command(os.Args[0])
			cmd.Env = []string{childVar + "=print"}
			cmd.Stdout = stdout
			if err := cmd.Run(); err != nil {
				return err.Error()
			}
			_, err := bufio.NewReader(os.Stdin).ReadString('\n')
			return fmt.Sprint(err)
		}}, nil)
		fmt.Println("after", err)
	},
	"pipes": func() {
		fmt.Println(forged) // as what a stranger's name may make a program print
		err := stdio.Serve(context.Background(), kkrpc.Object{
			"relay": childAPI["relay"],
			"stdin": func() (string, error) { return bufio.NewReader(os.Stdin).ReadString('\n') },
			"spawn": func() (string, error) {
				cmd := exec.Command(os.Args[0])
				cmd.Env = []string{childVar + "=descriptors"}
				out, err := cmd.Output()
				return string(out), err
			},
			"print": func() string { fmt.Println(forged); return "" },
		}, &stdio.Options{Pipes: true})
		fmt.Println("served:", err)
	},
	"descriptors": func() {
		_, err := stdio.Open(context.Background(), &stdio.Options{Pipes: true})
		fmt.Print(err)
	},
	"either": func() {
		if err := stdio.Serve(context.Background(), childAPI, &stdio.Options{Pipes: true}); err == nil {
			panic("there are no pipes")
		}
		_ = stdio.Serve(context.Background(), childAPI, nil)
	},
	"unpiped": func() { // knows nothing of the pipes, and closes what it has not opened, as daemons do
		_, _ = os.NewFile(3, "").Close(), os.NewFile(4, "").Close()
		select {}
	},
	"print": func() { fmt.Println("a grandchild") },
	"open": func() {
		ch, err := stdio.Open(context.Background(), &stdio.Options{RPC: kkrpc.Options{Dialect: kkrpc.Compact}})
		if err != nil {
			panic(err)
		}
		if _, err := stdio.Open(context.Background(), nil); err == nil {
			panic("a second Open succeeded")
		}
		greeting, err := kkrpc.Call[string](context.Background(), ch, "greet", "child")
		if err != nil {
			panic(err)
		}
		_ = ch.Call(context.Background(), nil, "done", greeting) // the parent closes when it has it
		<-ch.Done()
	},
	"limited": func() {
		err := stdio.Serve(context.Background(), childAPI, &stdio.Options{RPC: kkrpc.Options{Limits: kkrpc.Limits{Frame: 1000}}})
		fmt.Fprintln(os.Stderr, "served:", errors.Is(err, kkrpc.ErrClosed), err)
		os.Exit(4)
	},
	"cancelled": func() {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(errors.New("enough"))
		fmt.Fprintln(os.Stderr, "served:", stdio.Serve(ctx, childAPI, nil))
	},
	"stubborn": func() { // neither reads nor ends when asked
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		select {}
	},
	"deaf": func() { // does not end with its standard input
		fmt.Println("ready")
		select {}
	},
	"flood": func() {
		line := bytes.Repeat([]byte("0123456789abcde\n"), 4096)
		for {
			if _, err := os.Stdout.Write(line); err != nil {
				return
			}
		}
	},
	"silent": func() { // closes standard output and lives on
		_ = os.Stdout.Close()
		select {}
	},
	"orphans": func() { // leaves a process behind that holds standard output and error
		cmd := exec.Command(os.Args[0])
		cmd.Env = []string{childVar + "=wait"}
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.NewFile(3, "until"), os.Stdout, os.Stderr
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		os.Exit(3)
	},
	"wait": func() { _, _ = io.Copy(io.Discard, os.Stdin) },
}

var childAPI = kkrpc.Object{
	"double": func(n int) int { return 2 * n },
	"repeat": func(s string, n int) string { return strings.Repeat(s, n) },
	"relay": func(ctx context.Context, name string) (string, error) {
		return kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "greet", name)
	},
	"count": func(n int, tick func(int)) string {
		for i := range n {
			tick(i)
		}
		return "counted"
	},
	"die": func(status int) {
		fmt.Fprintln(os.Stderr, "some noise\nfatal: no way on")
		os.Exit(status)
	},
	"kill": func() error {
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Kill()
		}
		return err
	},
	"hang":  func(ctx context.Context) { <-ctx.Done() },
	"close": func(ctx context.Context) { go kkrpc.FromContext(ctx).Close() },
}

func command(name string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+name, "GORACE=atexit_sleep_ms=0") // or every child takes a second to end
	return cmd
}

// start starts a child, which is gone when the test ends.
func start(t *testing.T, name string, opts *stdio.Options) *stdio.Process {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a process")
	}
	p, err := stdio.Start(t.Context(), command(name), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func TestCallsBothWays(t *testing.T) {
	for _, d := range []kkrpc.Dialect{0, kkrpc.Compact, kkrpc.CompactSuperJSON, kkrpc.Classic, kkrpc.ClassicSuperJSON} {
		t.Run(d.String(), func(t *testing.T) {
			p := start(t, "serve", &stdio.Options{RPC: kkrpc.Options{Dialect: d, Expose: kkrpc.Object{
				"greet": func(name string) string { return "Hello, " + name + "!" },
			}}})
			ctx := t.Context()
			if got, err := kkrpc.Call[int](ctx, p.Channel, "double", 21); got != 42 || err != nil {
				t.Errorf("double: %v, %v", got, err)
			}
			if got, err := kkrpc.Call[string](ctx, p.Channel, "relay", "parent"); got != "Hello, parent!" || err != nil {
				t.Errorf("relay: %v, %v", got, err)
			}
			ticks := 0
			if got, err := kkrpc.Call[string](ctx, p.Channel, "count", 100, func(int) { ticks++ }); got != "counted" || ticks != 100 || err != nil {
				t.Errorf("count: %v, %d ticks, %v", got, ticks, err)
			}
			if got, err := kkrpc.Call[string](ctx, p.Channel, "repeat", "ü€😀", 100_000); got != strings.Repeat("ü€😀", 100_000) || err != nil {
				t.Errorf("repeat: %d bytes, %v", len(got), err)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			if err := p.Wait(); err != nil {
				t.Errorf("the child ended with %v", err)
			}
		})
	}
}

func TestChildCallsFirst(t *testing.T) {
	done := make(chan string, 1)
	p := start(t, "open", &stdio.Options{RPC: kkrpc.Options{Expose: kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
		"done":  func(got string) { done <- got },
	}}})
	select {
	case got := <-done:
		if got != "Hello, child!" {
			t.Errorf("got %q", got)
		}
	case <-p.Done():
		t.Error(p.Err())
	}
	_ = p.Close()
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}

// What a child prints does not come between its messages.
func TestPrintingChild(t *testing.T) {
	var output, stderr lockedBuffer
	cmd := command("talkative")
	cmd.Stderr = &stderr
	if testing.Short() {
		t.Skip("starts a process")
	}
	p, err := stdio.Start(t.Context(), cmd, &stdio.Options{Output: &output})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if got, err := kkrpc.Call[string](t.Context(), p.Channel, "talk"); got != "EOF" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	_ = p.Close()
	if got, want := output.String(), "before\n"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
	if got, want := stderr.String(), "println\na variable of before\na grandchild\nafter <nil>\n"; got != want {
		t.Errorf("stderr %q, want %q", got, want)
	}
}

// forged is a call of the parent.
const forged = `{"t":"q","id":"1","op":"call","p":["greet"],"a":["stranger"]}`

// With pipes of its own the channel takes nothing that a child prints, and the child keeps its standard input and output.
func TestPipes(t *testing.T) {
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("starts a process, and Windows has no such pipes")
	}
	var output bytes.Buffer // nobody else writes once the child has ended
	cmd := command("pipes")
	cmd.Stdin = strings.NewReader("a line\n")
	var greeted []string
	p, err := stdio.Start(t.Context(), cmd, &stdio.Options{Pipes: true, Output: &output, RPC: kkrpc.Options{Expose: kkrpc.Object{
		"greet": func(name string) string { greeted = append(greeted, name); return "Hello, " + name + "!" },
	}}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, row := range []struct {
		function string
		args     []any
		want     string
	}{
		{"relay", []any{"child"}, "Hello, child!"},
		{"stdin", nil, "a line\n"},
		{"spawn", nil, "stdio: descriptor 3 is no pipe: the parent has to set Options.Pipes, or to make one"},
		{"print", nil, ""},
		{"relay", []any{"again"}, "Hello, again!"},
	} {
		if got, err := kkrpc.Call[string](t.Context(), p.Channel, row.function, row.args...); got != row.want || err != nil {
			t.Errorf("%s: %q, %v, want %q", row.function, got, err, row.want)
		}
	}
	if err := p.Close(); err != nil || p.Wait() != nil {
		t.Errorf("Close: %v, Wait: %v", err, p.Wait())
	}
	if got, want := output.String(), forged+"\n"+forged+"\nserved: <nil>\n"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
	if want := []string{"child", "again"}; !slices.Equal(greeted, want) {
		t.Errorf("greet was called with %q, want %q", greeted, want)
	}
}

// A parent or child whose other side has no Pipes says so.
func TestPipesOfOneSide(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such pipes")
	}
	t.Run("the child's", func(t *testing.T) {
		var output lockedBuffer
		p := start(t, "pipes", &stdio.Options{Output: &output})
		if err := p.Call(t.Context(), nil, "print"); !errors.Is(err, kkrpc.ErrClosed) {
			t.Errorf("got %v", err)
		}
		_ = p.Close()
		if want := "served: stdio: descriptor 3 is no pipe: the parent has to set Options.Pipes, or to make one\n"; output.String() != want {
			t.Errorf("the child said %q, want %q", output.String(), want)
		}
	})
	t.Run("the parent's", func(t *testing.T) {
		const want = "stdio: the child ended: exit status 0; nothing came over its descriptor 4: a child must use descriptors 3 and 4 too (Options.Pipes)"
		p := start(t, "serve", &stdio.Options{Pipes: true, Output: io.Discard})
		<-p.Done()
		var exit *stdio.ExitError
		if err := p.Err(); !errors.As(err, &exit) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	})
	t.Run("the parent's, and the child lives", func(t *testing.T) {
		p := start(t, "unpiped", &stdio.Options{Pipes: true, Output: io.Discard, Grace: short})
		<-p.Done()
		if err := p.Err(); !strings.HasSuffix(err.Error(), "stdio: the child has closed its descriptor 4; nothing came over it: "+
			"a child must use descriptors 3 and 4 too (Options.Pipes)") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the parent's, and the child fails", func(t *testing.T) {
		p := start(t, "limited", &stdio.Options{Pipes: true, Output: io.Discard})
		<-p.Done()
		if err := p.Err(); !strings.HasSuffix(err.Error(), "exit status 4") {
			t.Errorf("got %v", err)
		}
	})
}

// An Open that fails has taken nothing, so a child can go on with standard input and output.
func TestOpenAgain(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such pipes")
	}
	p := start(t, "either", nil)
	if got, err := kkrpc.Call[int](t.Context(), p.Channel, "double", 21); got != 42 || err != nil {
		t.Errorf("double: %v, %v", got, err)
	}
}

// A line that is no message reaches OnError when it comes over the pipes of the channel.
func TestNoMessageOverPipes(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	told := make(chan error, 1)
	opts := &stdio.Options{Pipes: true, Output: io.Discard, RPC: kkrpc.Options{OnError: func(err error) { told <- err }}}
	ch, err := kkrpc.New(t.Context(), stdio.New(r, io.Discard, opts), &opts.RPC)
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	if _, err := io.WriteString(w, "hello\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-told; !strings.Contains(err.Error(), "dropped") {
		t.Errorf("OnError got %v", err)
	}
}

func TestChildThatEnds(t *testing.T) {
	tests := []struct {
		name, child, method string
		args                []any
		want                string // part of the error of the pending call
		status              int    // -1 for a signal
	}{
		{"with a status", "serve", "die", []any{7}, "exit status 7; its last words: …", 7},
		{"with status 0", "serve", "die", []any{0}, "exit status 0; its last words: …", 0},
		{"by a signal", "serve", "kill", nil, "signal: killed", -1},
		{"before it reads", "orphans", "double", []any{1}, "exit status 3", 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if testing.Short() || (tt.status < 0 || tt.child == "orphans") && runtime.GOOS == "windows" {
				t.Skip("starts a process, and Windows has no signals and inherits no files")
			}
			cmd := command(tt.child)
			cmd.Stderr = io.Discard
			until, end, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer end.Close()
			if tt.child == "orphans" {
				cmd.ExtraFiles = []*os.File{until} // the grandchild lives as long as this test
			}
			p, err := stdio.Start(t.Context(), cmd, &stdio.Options{StderrTail: len("fatal: no way on\n")})
			_ = until.Close()
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			hanging := make(chan error, 1)
			go func() { hanging <- p.Call(t.Context(), nil, "hang") }()
			errs := []error{p.Call(t.Context(), nil, tt.method, tt.args...), <-hanging, p.Err()}
			want := strings.Replace(tt.want, "…", "fatal: no way on", 1)
			for _, err := range errs {
				var exit *stdio.ExitError
				switch {
				case !errors.Is(err, kkrpc.ErrClosed):
					t.Errorf("%v is not ErrClosed", err)
				case !errors.As(err, &exit) || exit.State.ExitCode() != tt.status:
					t.Errorf("%v does not have status %d", err, tt.status)
				case !strings.Contains(err.Error(), want):
					t.Errorf("%v does not say %q", err, want)
				}
			}
			if err := p.Wait(); (err == nil) != (tt.status == 0) {
				t.Errorf("Wait: %v", err)
			}
		})
	}
}

func TestServeEnds(t *testing.T) {
	tests := []struct {
		name, child string
		end         func(p *stdio.Process)
		want        string // on standard error
	}{
		{"when the parent closes", "serve", func(p *stdio.Process) { p.Close() }, "served: <nil>"},
		{"when a handler closes", "serve", func(p *stdio.Process) { _ = p.Call(context.Background(), nil, "close") }, "served: <nil>"},
		{"when a message is too long", "limited", func(p *stdio.Process) {
			_ = p.Call(context.Background(), nil, "double", strings.Repeat("x", 2000))
		}, "served: true channel closed: limit reached: message too long"},
		{"when its context ends", "cancelled", func(p *stdio.Process) { <-p.Done() }, "served: channel closed: enough"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if testing.Short() {
				t.Skip("starts a process")
			}
			var stderr lockedBuffer
			cmd := command(tt.child)
			cmd.Stderr = &stderr
			p, err := stdio.Start(t.Context(), cmd, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			tt.end(p)
			_ = p.Wait()
			if got := stderr.String(); !strings.HasPrefix(got, tt.want) {
				t.Errorf("the child said %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCloseEndsTheChild(t *testing.T) {
	const terminated, killed = "signal: terminated", "signal: killed"
	tests := []struct {
		child string
		want  string // of Wait
	}{
		{"serve", ""},
		{"deaf", terminated},
		{"stubborn", killed},
		{"flood", terminated}, // it is read until it ends
		{"silent", terminated},
	}
	ways := []struct {
		name  string
		close func(p *stdio.Process, cancel func())
	}{
		{"Close", func(p *stdio.Process, _ func()) { _ = p.Close() }},
		{"Channel.Close", func(p *stdio.Process, _ func()) { _ = p.Channel.Close() }},
		{"the context's end", func(_ *stdio.Process, cancel func()) { cancel() }},
	}
	for _, tt := range tests {
		for _, way := range ways {
			t.Run(tt.child+" by "+way.name, func(t *testing.T) {
				if testing.Short() || tt.want != "" && runtime.GOOS == "windows" {
					t.Skip("starts a process, and Windows has no signals")
				}
				ready := make(firstWrite)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				t.Parallel() // most of it is waiting for the grace to pass
				grace := short
				switch tt.want {
				case "":
					grace = 20 * time.Second
				case terminated: // which the child has to manage on a busy machine too
					grace = time.Second
				}
				p, err := stdio.Start(ctx, command(tt.child), &stdio.Options{Output: ready, Grace: grace})
				if err != nil {
					t.Fatal(err)
				}
				switch tt.child {
				case "serve":
					err = p.Call(ctx, nil, "double", 1)
				case "silent":
					<-p.Done()
				default:
					<-ready
				}
				if err != nil {
					t.Error(err)
				}
				way.close(p, cancel)
				got := ""
				var exit *stdio.ExitError
				if err := p.Wait(); errors.As(err, &exit) {
					got = exit.State.String()
				}
				if got != tt.want {
					t.Errorf("the child ended with %q, want %q", got, tt.want)
				}
				_ = p.Close()
			})
		}
	}
}

// firstWrite is an Output that tells of its first line.
type firstWrite chan struct{}

func (w firstWrite) Write(p []byte) (int, error) {
	select {
	case <-w:
	default:
		close(w)
	}
	return len(p), nil
}

func TestChildThatDoesNotRead(t *testing.T) {
	p := start(t, "deaf", &stdio.Options{Output: io.Discard, Grace: short, RPC: kkrpc.Options{Limits: kkrpc.Limits{Write: short}}})
	err := p.Call(t.Context(), nil, "double", strings.Repeat("x", 1<<20))
	if !errors.Is(err, kkrpc.ErrClosed) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := p.Wait(); err == nil {
		t.Error("the child ended well")
	}
}

// A Close is not held up by a write that the child does not take.
func TestCloseDuringWrite(t *testing.T) {
	p := start(t, "deaf", &stdio.Options{Output: io.Discard, Grace: short})
	ctx, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	if err := p.Call(ctx, nil, "double", strings.Repeat("x", 1<<20)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the call: %v", err)
	}
	begun := time.Now()
	_ = p.Close()
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("Close took %v", took)
	}
}

func TestChildThatClosesItsOutput(t *testing.T) {
	p := start(t, "silent", &stdio.Options{Grace: short})
	if err := p.Call(t.Context(), nil, "double", 1); !errors.Is(err, kkrpc.ErrClosed) || !strings.Contains(err.Error(), "closed its standard output") {
		t.Errorf("got %v", err)
	}
}

func TestStartFails(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	withStdout := command("serve")
	withStdout.Stdout = os.Stderr
	withFiles := command("serve")
	withFiles.ExtraFiles = []*os.File{os.Stderr}
	tests := []struct {
		name string
		ctx  context.Context
		cmd  *exec.Cmd
		opts *stdio.Options
		want string
	}{
		{"no such program", t.Context(), exec.Command("/nowhere/kkrpc-child"), nil, "stdio: start kkrpc-child: "},
		{"streams that are taken", t.Context(), withStdout, nil, "the command's Stdin and Stdout must be nil"},
		{"descriptors that are taken", t.Context(), withFiles, &stdio.Options{Pipes: true}, "the command's ExtraFiles must be nil"},
		{"no such program, with pipes", t.Context(), exec.Command("/nowhere/kkrpc-child"), &stdio.Options{Pipes: true}, "stdio: start kkrpc-child: "},
		{"a context that has ended", ended, command("serve"), nil, "context canceled"},
		{"nothing that can be exposed", t.Context(), command("serve"), &stdio.Options{RPC: kkrpc.Options{Expose: 1}}, "int"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := stdio.Start(tt.ctx, tt.cmd, tt.opts)
			if err == nil {
				_ = p.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%q does not say %q", err, tt.want)
			}
			if err := p.Close(); err != nil { // as a deferred Close does before the error is looked at
				t.Errorf("Close of what did not start: %v", err)
			}
		})
	}
}
