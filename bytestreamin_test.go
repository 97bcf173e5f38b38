package kkrpc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/kkrpc-go/kkrpc"
)

func TestReadersAsArguments(t *testing.T) {
	failure := errors.New("disk gone")
	first := make([]byte, 1)
	var kept io.Reader
	server := kkrpc.Object{
		"count": func(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) },
		"first": func(ctx context.Context, name string, r io.ReadCloser) (string, error) {
			_, err := r.Read(first)
			return name, err
		},
		"close": func(r io.ReadCloser) error {
			if _, err := r.Read(first); err != nil {
				return err
			}
			r.Close()
			if _, err := r.Read(first); err != io.ErrClosedPipe {
				return fmt.Errorf("after Close: %w", err)
			}
			return nil
		},
		"ignore": func(r io.Reader) {},
		"keep": func(r io.Reader) error {
			kept = r
			_, err := r.Read(first)
			return err
		},
		"back": func(r io.Reader) io.Reader { return r },
		"all": func(parts ...io.Reader) (string, error) {
			all, err := io.ReadAll(io.MultiReader(parts...))
			return string(all), err
		},
	}
	for _, d := range dialects[:2] {
		bubble(t, func(t *testing.T) {
			_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
			s := &source{Reader: strings.NewReader(text(100_000))}
			if n, err := kkrpc.Call[int](t.Context(), c, "count", s); n != 100_000 || err != nil {
				t.Errorf("%v: count: %d, %v", d, n, err)
			}
			synctest.Wait()
			if n := s.closes.Load(); n != 1 {
				t.Errorf("%v: count: closed %d times", d, n)
			}
			chunks := func(yield func([]byte, error) bool) {
				_ = yield([]byte("a"), nil) && yield(nil, nil) && yield([]byte("bc"), nil)
			}
			if n, err := kkrpc.Call[int](t.Context(), c, "count", iter.Seq2[[]byte, error](chunks)); n != 3 || err != nil {
				t.Errorf("%v: an iterator: %d, %v", d, n, err)
			}
			_, err := kkrpc.Call[int](t.Context(), c, "count", io.MultiReader(strings.NewReader("a"), iotest.ErrReader(failure)))
			if err == nil || !strings.Contains(err.Error(), failure.Error()) {
				t.Errorf("%v: the error of the producer: %v", d, err)
			}
			for _, path := range []string{"first", "close", "ignore", "keep"} {
				s := &source{Reader: zeros{}}
				args := []any{s}
				if path == "first" {
					args = []any{"name", s}
				}
				if err := c.Call(t.Context(), nil, path, args...); err != nil {
					t.Errorf("%v: %s: %v", d, path, err)
				}
				synctest.Wait()
				if reads, closes := s.reads.Load(), s.closes.Load(); reads > 32 || closes != 1 {
					t.Errorf("%v: %s: %d reads, closed %d times", d, path, reads, closes)
				}
			}
			if _, err := io.Copy(io.Discard, kept); !errors.Is(err, kkrpc.ErrReleased) {
				t.Errorf("%v: read when the function had returned: %v", d, err)
			}
			r, err := kkrpc.Call[io.Reader](t.Context(), c, "back", strings.NewReader(text(100_000)))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); string(got) != text(100_000) || err != nil {
				t.Errorf("%v: back: %d bytes, %v", d, len(got), err)
			}
			if got, err := kkrpc.Call[string](t.Context(), c, "all", strings.NewReader("a"), bytes.NewReader([]byte("b"))); got != "ab" || err != nil {
				t.Errorf("%v: all: %q, %v", d, got, err)
			}
			for _, arg := range []any{1, "text", nil, func() {}} {
				if err := c.Call(t.Context(), nil, "count", arg); err == nil || !strings.Contains(err.Error(), "argument 1: expected stream, got") {
					t.Errorf("%v: %v", d, err)
				}
			}
			if err := c.Call(t.Context(), nil, "count"); err == nil || !strings.Contains(err.Error(), "argument 1: expected stream, got undefined") {
				t.Errorf("%v: %v", d, err)
			}
		})
	}
	for _, d := range dialects[2:] {
		bubble(t, func(t *testing.T) {
			_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
			s := &source{Reader: zeros{}}
			if err := c.Call(t.Context(), nil, "count", s); !errors.Is(err, kkrpc.ErrUnsupported) || s.closes.Load() != 0 {
				t.Errorf("%v: %v; closed %d times", d, err, s.closes.Load())
			}
		})
	}
}

// A reader of a request that was not sent stays with the caller, who may send it again.
func TestReaderOfAnUnsentRequest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{"count": func(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) }}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{})
		s := &source{Reader: strings.NewReader("abc")}
		if err := c.Call(t.Context(), nil, "count", s, make(chan int)); err == nil || s.closes.Load() != 0 {
			t.Errorf("%v; closed %d times", err, s.closes.Load())
		}
		if n, err := kkrpc.Call[int](t.Context(), c, "count", s); n != 3 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		synctest.Wait()
		if n := s.closes.Load(); n != 1 {
			t.Errorf("closed %d times", n)
		}
	})
}

func TestItemsThatAreNotBytes(t *testing.T) {
	for _, test := range []struct {
		item any
		want string
	}{
		{5, "number"}, {`"*"`, "string"}, {`{"a":1}`, "object"}, {"null", "null"}, {"true", "boolean"},
	} {
		bubble(t, func(t *testing.T) {
			server := kkrpc.Object{"read": func(r io.Reader) error {
				n, err := r.Read(make([]byte, 10))
				if again, same := r.Read(make([]byte, 10)); n != 0 || again != 0 || same != err {
					t.Errorf("%d, then %d, %v", n, again, same)
				}
				return err
			}}
			_, peer := raw(t, kkrpc.Options{Expose: server})
			write(t, peer, `{"t":"q","id":"q","op":"call","p":["read"],"a":[{"__kkrpc_next_arg__":"value","v":{"__kkrpc_next_stream__":"async-iterable","id":"theirs"}}]}`)
			wantControl(t, peer, pulled32)
			write(t, peer, item(test.item))
			wantControl(t, peer, returned)
			if got, want := read(t, peer), "expected Uint8Array, got "+test.want; !strings.Contains(got, "kkrpc: stream: item") || !strings.Contains(got, want) {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}
