package interop_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/api"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/kkhttp"
)

func TestKkrpcClientOfGoServerOverHTTP(t *testing.T) {
	handler := kkhttp.Handler(api.New(), &kkhttp.Options{RPC: kkrpc.Options{ErrorText: true}})
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close) // after the parallel subtests
	each(t, func(t *testing.T, rt js.Runtime, codec string) {
		t.Parallel()
		cmd := rt.Command(t, filepath.Join(js.Dir(t), "http-client.mjs"), server.URL, codec)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		readResults(t, rt, out)
		if t.Failed() || err != nil {
			t.Errorf("the client ended with %v and said:\n%s", err, stderr.Bytes())
		}
	})
}

func TestGoClientOfKkrpcServerOverHTTP(t *testing.T) {
	for _, rt := range js.Runtimes {
		t.Run(string(rt), func(t *testing.T) {
			t.Parallel()
			url, _ := startProcess(t, rt.Command(t, filepath.Join(js.Dir(t), "http-server.mjs")))
			ch, err := kkhttp.NewClient(url, &kkhttp.ClientOptions{
				RPC: kkrpc.Options{Dialect: kkrpc.ClassicSuperJSON},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer ch.Close()
			callKkrpcOverHTTP(t, ch)
		})
	}
}

func callKkrpcOverHTTP(t *testing.T, ch *kkhttp.Client) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, row := range []struct {
		path string
		args []any
		want any // a string after an error is a part of its text
	}{
		{"greet", []any{"World"}, "Hello, World!"},
		{"math.multiply", []any{4, 6}, 24.0},
		{"echo", []any{"żółw 🐢 \u2028 \x00 \"\\/"}, "żółw 🐢 \u2028 \x00 \"\\/"},
		{"echo", []any{strings.Repeat("x", 1<<20)}, strings.Repeat("x", 1<<20)},
		{"count", []any{1, "2", nil}, 3.0},
		{"nul", nil, nil},
		{"getDate", nil, time.Date(2024, 2, 29, 12, 34, 56, 789e6, time.UTC)},
		{"getBytes", []any{3}, []byte{0, 1, 2}},
		{"sumBytes", []any{[]byte{1, 2, 3}}, 6.0},
		{"riskyOperation", nil, errors.New("Something went wrong!")},
		{"throwDetails", nil, errors.New("custom failure")},
		{"noSuchMethod", nil, errors.New("not a function")},
		{"greet", []any{"after"}, "Hello, after!"},
	} {
		got, err := kkrpc.Call[any](ctx, ch, row.path, row.args...)
		if want, failure := row.want.(error); failure {
			if e := (*kkrpc.Error)(nil); !errors.As(err, &e) || !strings.Contains(e.Message, want.Error()) {
				t.Errorf("%s: %v, want %v", row.path, err, want)
			}
		} else if err != nil || !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: got %.100v, %v, want %.100v", row.path, got, err, row.want)
		}
	}
	if err := ch.Call(ctx, nil, "onProgress", 1, func(int, int) {}); !errors.Is(err, kkrpc.ErrUnsupported) {
		t.Errorf("callback: %v", err)
	}
	short, cancelShort := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancelShort()
	if err := ch.Call(short, nil, "slow", 10_000); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cancelled: %v", err)
	}
	var calls sync.WaitGroup
	for i := range 100 {
		calls.Go(func() {
			if got, err := kkrpc.Call[string](ctx, ch, "delayEcho", 100-i, fmt.Sprint(i)); err != nil || got != fmt.Sprint(i) {
				t.Errorf("concurrent call %d: %q, %v", i, got, err)
			}
		})
	}
	calls.Wait()
}
