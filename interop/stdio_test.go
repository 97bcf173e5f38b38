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
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/api"
	"github.com/kkrpc-go/kkrpc/interop/check"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/stdio"
)

// The only argument of the test binary as a Go child of a TypeScript parent.
const (
	goChild      = "kkrpc-stdio-child"
	goChildOfOld = "kkrpc-stdio-child-of-0.2" // whose JSON has no error objects
)

func init() {
	if len(os.Args) != 2 || os.Args[1] != goChild && os.Args[1] != goChildOfOld {
		return
	}
	fmt.Println("printed before the channel")
	err := stdio.Serve(context.Background(), api.New(), &stdio.Options{RPC: kkrpc.Options{ErrorText: os.Args[1] == goChildOfOld}})
	fmt.Println("printed after the channel")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// stdioPeer is a kkrpc on the other side: a version of it with a codec, and by which of the runtime's adapters.
type stdioPeer struct {
	version, codec string
	adapter        string // "node" for Node's where the runtime has its own, else ""
	variable       string // names the environment variable with the checkout to run; "" is the version that npm installed
}

// stdioPeers is what each runtime can run. Bun runs the sources of the newer versions as they are. A parent has no choice
// of adapters.
func stdioPeers(rt js.Runtime, parents bool) (peers []stdioPeer) {
	for _, codec := range []string{"json", "superjson"} {
		peers = append(peers, stdioPeer{"0.2.2", codec, "", ""})
		if rt != js.Node {
			peers = append(peers, stdioPeer{"0.2.2", codec, "node", ""})
		}
		if rt == js.Bun {
			peers = append(peers, stdioPeer{"0.7.0", codec, "", "KKRPC_V07"}, stdioPeer{"0.7.0", codec, "node", "KKRPC_V07"})
		}
	}
	if rt == js.Bun {
		peers = append(peers, stdioPeer{"2.1.0", "json", "", "KKRPC_V2"})
	}
	if parents {
		peers = slices.DeleteFunc(peers, func(p stdioPeer) bool { return p.adapter != "" })
	}
	return peers
}

func stdioEach(t *testing.T, parents bool, run func(t *testing.T, rt js.Runtime, p stdioPeer)) {
	for _, rt := range js.Runtimes {
		for _, p := range stdioPeers(rt, parents) {
			t.Run(strings.TrimSuffix(fmt.Sprintf("%s/%s/%s/%s", p.version, rt, p.codec, p.adapter), "/"), func(t *testing.T) {
				if p.variable != "" && os.Getenv(p.variable) == "" {
					t.Skipf("needs a checkout of kkrpc %s: set %s to its folder", p.version, p.variable)
				}
				t.Parallel()
				run(t, rt, p)
			})
		}
	}
}

func (p stdioPeer) dialect() kkrpc.Dialect {
	switch {
	case p.version == "2.1.0":
		return kkrpc.Compact
	case p.codec == "json":
		return kkrpc.Classic
	default:
		return kkrpc.ClassicSuperJSON
	}
}

func (p stdioPeer) command(t *testing.T, rt js.Runtime, script string, args ...string) *exec.Cmd {
	cmd := rt.Command(t, filepath.Join(js.Dir(t), script), append([]string{p.version, p.codec}, args...)...)
	if p.variable != "" { // the sources find what they import even where the checkout has installed nothing
		cmd.Env = append(cmd.Env, "NODE_PATH="+filepath.Join(js.Dir(t), "node_modules"))
	}
	return cmd
}

// startChild starts stdio-child.mjs.
func (p stdioPeer) startChild(t *testing.T, rt js.Runtime, rpc kkrpc.Options, output io.Writer) (*stdio.Process, error) {
	cmd := p.command(t, rt, "stdio-child.mjs", p.adapter)
	own := exec.Command(cmd.Path, cmd.Args[1:]...) // the end of the test is to close it, not to kill it
	own.Env, own.Dir, own.SysProcAttr = cmd.Env, cmd.Dir, cmd.SysProcAttr
	rpc.Dialect = p.dialect()
	rpc.ErrorText = p.version == "0.2.2"
	return stdio.Start(context.WithoutCancel(t.Context()), own, &stdio.Options{RPC: rpc, Output: output, Grace: time.Second / 4, StderrTail: 1000})
}

func TestGoParentOfKkrpcChild(t *testing.T) {
	stdioEach(t, false, func(t *testing.T, rt js.Runtime, p stdioPeer) {
		var mu sync.Mutex
		var started []*stdio.Process
		config := check.Config{Peer: p.version, Channel: check.Base, Dialect: p.dialect(), Dial: func(_ context.Context, rpc kkrpc.Options) (*kkrpc.Channel, error) {
			child, err := p.startChild(t, rt, rpc, nil)
			if err != nil {
				return nil, err
			}
			mu.Lock()
			defer mu.Unlock()
			started = append(started, child)
			return child.Channel, nil
		}}
		passed, failed, err := check.Run(t.Context(), config, func(r check.Result) {
			if r.Err != nil {
				t.Errorf("%s: %v", r.Name, r.Err)
			}
		})
		for _, child := range started {
			_ = child.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d checks passed, %d failed", passed, failed)
	})
}

// Text of other than ASCII arrives whole however the pipe cuts it: kkrpc 0.x decodes what each read brings by itself.
func TestLongTextToKkrpcChild(t *testing.T) {
	stdioEach(t, false, func(t *testing.T, rt js.Runtime, peer stdioPeer) {
		p, err := peer.startChild(t, rt, kkrpc.Options{}, nil)
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
	stdioEach(t, false, func(t *testing.T, rt js.Runtime, peer stdioPeer) {
		var output bytes.Buffer // written by the reader alone, until Wait
		p, err := peer.startChild(t, rt, kkrpc.Options{}, &output)
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
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	stdioEach(t, true, func(t *testing.T, rt js.Runtime, p stdioPeer) {
		arg := goChild
		if p.version == "0.2.2" {
			arg = goChildOfOld
		}
		cmd := p.command(t, rt, "stdio-parent.mjs", self, arg)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		readResults(t, rt, out)
		if p.version != "2.1.0" && !strings.Contains(string(out), "printed before the channel") { // 2.1 drops it
			t.Error("the parent did not get what the child printed before")
		}
		if !strings.Contains(stderr.String(), "printed after the channel") {
			t.Error("what the child printed afterwards is not on its standard error")
		}
		if t.Failed() || err != nil {
			t.Errorf("the parent ended with %v and said:\n%s", err, stderr.Bytes())
		}
	})
}
