package interop_test

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/kkhttp"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestGoClientAsksKkrpcServer names no dialect: it finds that of each version and codec.
func TestGoClientAsksKkrpcServer(t *testing.T) {
	eachPeer(t, func(t *testing.T, rt js.Runtime, p peer) {
		have(t, rt)
		ch, err := ws.Dial(t.Context(), startServer(t, rt, p), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer ch.Close()
		if got := ch.Dialect(); got != p.dialect(t) {
			t.Errorf("the dialect is %v, want %v", got, p.dialect(t))
		}
		if got, err := kkrpc.Call[string](t.Context(), ch, "greet", "you"); got != "Hello, you!" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

// TestGoParentAsksKkrpcChild is the same over standard input and output. A child of kkrpc 0.x answers when it is ready.
func TestGoParentAsksKkrpcChild(t *testing.T) {
	stdioEach(t, false, func(t *testing.T, rt js.Runtime, p stdioPeer) {
		have(t, rt)
		var output bytes.Buffer
		silence := 20 * time.Second
		if p.dialect() == kkrpc.Compact {
			silence = 10 * time.Millisecond
		}
		child, err := p.startChild(t, rt, kkrpc.Options{Negotiate: silence}, &output)
		if err != nil {
			t.Fatal(err)
		}
		defer child.Close()
		if got, err := child.AwaitDialect(t.Context()); got != p.dialect() || err != nil {
			t.Errorf("the dialect is %v, %v, want %v", got, err, p.dialect())
		}
		if got, err := kkrpc.Call[string](t.Context(), child.Channel, "greet", "you"); got != "Hello, you!" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

// TestGoClientAsksKkrpcServerOverHTTP has 0.2.2 in each runtime. It answers SuperJSON alone.
func TestGoClientAsksKkrpcServerOverHTTP(t *testing.T) {
	for _, rt := range js.Runtimes {
		t.Run(string(rt), func(t *testing.T) {
			have(t, rt)
			t.Parallel()
			url, _ := startProcess(t, rt.Command(t, filepath.Join(js.Dir(t), "http-server.mjs")))
			client, err := kkhttp.NewClient(url, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			for range 2 {
				if got, err := kkrpc.Call[string](t.Context(), client, "greet", "you"); got != "Hello, you!" || err != nil {
					t.Errorf("got %q, %v", got, err)
				}
			}
		})
	}
}
