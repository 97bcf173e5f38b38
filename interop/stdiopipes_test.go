package interop_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/stdio"
)

// TestKkrpcChildWithPipes has a child whose output a stranger influences: with pipes for the messages nothing that it prints
// reaches the API of its parent.
func TestKkrpcChildWithPipes(t *testing.T) {
	for _, rt := range js.Runtimes {
		t.Run(string(rt), func(t *testing.T) {
			t.Parallel()
			start := func(output *bytes.Buffer, removed *[]string) *stdio.Process {
				own := rt.Command(t, filepath.Join(js.Dir(t), "stdio-pipes-child.mjs"))
				cmd := exec.Command(own.Path, own.Args[1:]...) // the end of the test is to close it, not to kill it
				cmd.Env, cmd.Dir, cmd.SysProcAttr = own.Env, own.Dir, own.SysProcAttr
				p, err := stdio.Start(context.WithoutCancel(t.Context()), cmd, &stdio.Options{
					Pipes: true, Output: output, Grace: 20 * time.Second,
					RPC: kkrpc.Options{Dialect: kkrpc.ClassicSuperJSON, ErrorText: true, CallTimeout: 20 * time.Second, Expose: kkrpc.Object{
						"greet":  func(name string) string { return "Hello, " + name + "!" },
						"remove": func(name string) { *removed = append(*removed, name) },
					}},
				})
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			var output bytes.Buffer
			var removed []string
			p := start(&output, &removed)
			for _, name := range []string{"Ada", "Eve"} {
				got, err := kkrpc.Call[string](t.Context(), p.Channel, "greet", name)
				if want := "Hello, " + name + "! And from the child."; err != nil || got != want {
					t.Errorf("greet: %q, %v, want %q", got, err, want)
				}
			}
			text := strings.Repeat("ü€", 300_000)
			if got, err := kkrpc.Call[int](t.Context(), p.Channel, "size", text); err != nil || got != 600_000 {
				t.Errorf("size: %d, %v", got, err)
			}
			_ = p.Close()
			if err := p.Wait(); err != nil {
				t.Errorf("it did not end by itself: %v", err)
			}
			want := `{"id":"1","method":"remove","args":["Ada"],"type":"request","version":"json"}` + "\n" +
				`{"id":"1","method":"remove","args":["Eve"],"type":"request","version":"json"}` + "\n"
			if got := output.String(); got != want || len(removed) > 0 {
				t.Errorf("output %q, want %q; %q were removed", got, want, removed)
			}

			q := start(&output, &removed)
			err := q.Call(t.Context(), nil, "exit", 3)
			if exit, ok := errors.AsType[*stdio.ExitError](err); !ok || exit.State.ExitCode() != 3 {
				t.Errorf("exit: %v", err)
			}
			_ = q.Close()
		})
	}
}

// goChildWithPipes is the only argument of the test binary as a Go child of a TypeScript parent that has made the pipes.
const goChildWithPipes = "kkrpc-stdio-child-with-pipes"

func init() {
	if len(os.Args) != 2 || os.Args[1] != goChildWithPipes {
		return
	}
	fmt.Println("printed before the channel")
	err := stdio.Serve(context.Background(), kkrpc.Object{"greet": func(name string) string {
		fmt.Println("printed by greet")
		return "Hello, " + name + "!"
	}}, &stdio.Options{Pipes: true, RPC: kkrpc.Options{ErrorText: true}})
	fmt.Println("served:", err)
	os.Exit(0)
}

func TestGoChildWithPipesOfKkrpcParent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, rt := range js.Runtimes {
		t.Run(string(rt), func(t *testing.T) {
			t.Parallel()
			out, err := rt.Command(t, filepath.Join(js.Dir(t), "stdio-pipes-parent.mjs"), self, goChildWithPipes).CombinedOutput()
			const want = "printed before the channel\nprinted by greet\nHello, parent!\nserved: <nil>\nended with 0\n"
			if err != nil || string(out) != want {
				t.Errorf("%v, printed\n%s, want\n%s", err, out, want)
			}
		})
	}
}
