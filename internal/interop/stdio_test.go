package interop_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/interop/api"
	"github.com/kkrpc-go/kkrpc/internal/interop/check"
	"github.com/kkrpc-go/kkrpc/internal/js"
	"github.com/kkrpc-go/kkrpc/transport/stdio"
)

// goChild is the only argument of the test binary as a Go child of a TypeScript parent.
const goChild = "kkrpc-stdio-child"

func init() {
	if len(os.Args) != 2 || os.Args[1] != goChild {
		return
	}
	fmt.Println("printed before the channel")
	err := stdio.Serve(context.Background(), api.New(), &stdio.Options{RPC: kkrpc.Options{ErrorText: true}})
	fmt.Println("printed after the channel")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// stdioEach runs a test for every runtime, codec, and adapter of kkrpc that the runtime can use.
func stdioEach(t *testing.T, run func(t *testing.T, rt js.Runtime, codec, adapter string)) {
	each(t, func(t *testing.T, rt js.Runtime, codec string) {
		run(t, rt, codec, "")
		if rt != js.Node {
			t.Run("by Node's adapter", func(t *testing.T) { run(t, rt, codec, "node") })
		}
	})
}

// startChild starts stdio-child.mjs.
func startChild(t *testing.T, rt js.Runtime, codec, adapter string, rpc kkrpc.Options, output io.Writer) (*stdio.Process, error) {
	cmd := rt.Command(t, filepath.Join(js.Dir(t), "stdio-child.mjs"), codec, adapter)
	own := exec.Command(cmd.Path, cmd.Args[1:]...) // the end of the test is to close it, not to kill it
	own.Env, own.Dir = cmd.Env, cmd.Dir
	rpc.Dialect = dialects[codec]
	rpc.ErrorText = true
	return stdio.Start(context.WithoutCancel(t.Context()), own, &stdio.Options{RPC: rpc, Output: output, Grace: time.Second / 4, StderrTail: 1000})
}

func TestGoParentOfKkrpcChild(t *testing.T) {
	stdioEach(t, func(t *testing.T, rt js.Runtime, codec, adapter string) {
		t.Parallel()
		var mu sync.Mutex
		var started []*stdio.Process
		config := check.Config{Peer: peer, Dialect: dialects[codec], Dial: func(_ context.Context, rpc kkrpc.Options) (*kkrpc.Channel, error) {
			p, err := startChild(t, rt, codec, adapter, rpc, nil)
			if err != nil {
				return nil, err
			}
			mu.Lock()
			defer mu.Unlock()
			started = append(started, p)
			return p.Channel, nil
		}}
		passed, failed, err := check.Run(t.Context(), config, func(r check.Result) {
			if r.Err != nil {
				t.Errorf("%s: %v", r.Name, r.Err)
			}
		})
		for _, p := range started {
			_ = p.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("kkrpc %s in %s, %s: %d checks passed, %d failed", peer, rt, codec, passed, failed)
	})
}

// Text of other than ASCII arrives whole however the pipe cuts it: kkrpc 0.x decodes what each read brings by itself.
func TestLongTextToKkrpcChild(t *testing.T) {
	stdioEach(t, func(t *testing.T, rt js.Runtime, codec, adapter string) {
		p, err := startChild(t, rt, codec, adapter, kkrpc.Options{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		text := "x" + strings.Repeat("ü€😀", 50_000)
		for range 2 {
			if got, err := kkrpc.Call[string](t.Context(), p.Channel, "echo", text); err != nil || got != text {
				t.Errorf("got %d bytes, %v; want %d", len(got), err, len(text))
			}
			text = "x" + text
		}
	})
}

func TestKkrpcChildThatPrintsAndExits(t *testing.T) {
	stdioEach(t, func(t *testing.T, rt js.Runtime, codec, adapter string) {
		var output bytes.Buffer // written by the reader alone, until Wait
		p, err := startChild(t, rt, codec, adapter, kkrpc.Options{}, &output)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if err := p.Call(t.Context(), nil, "print", "to whom it may concern", map[string]any{"a": 1}, `{"level":"info"}`, "bye"); err != nil {
			t.Error(err)
		}
		err = p.Call(t.Context(), nil, "exit", 3)
		var exit *stdio.ExitError
		if !errors.Is(err, kkrpc.ErrClosed) || !errors.As(err, &exit) || exit.State.ExitCode() != 3 {
			t.Errorf("the pending call: %v", err)
		}
		if err := p.Wait(); !errors.As(err, &exit) {
			t.Errorf("Wait: %v", err)
		}
		got := strings.Join(strings.Fields(output.String()), " ") // each runtime prints objects its own way
		if want := `to whom it may concern { a: 1 } {"level":"info"} bye`; strings.Replace(got, "1, }", "1 }", 1) != want {
			t.Errorf("output %q, want %q", got, want)
		}
	})
}

func TestGoChildOfKkrpcParent(t *testing.T) {
	each(t, func(t *testing.T, rt js.Runtime, codec string) {
		t.Parallel()
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := rt.Command(t, filepath.Join(js.Dir(t), "stdio-parent.mjs"), codec, self, goChild)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		passed, failed := readResults(t, out)
		t.Logf("kkrpc %s in %s, %s: %d checks passed, %d failed", peer, rt, codec, passed, failed)
		if !strings.Contains(string(out), "printed before the channel") || !strings.Contains(stderr.String(), "printed after the channel") {
			t.Error("what the child printed is not where it belongs")
		}
		if t.Failed() || err != nil {
			t.Errorf("the parent ended with %v and said:\n%s", err, stderr.Bytes())
		}
	})
}
