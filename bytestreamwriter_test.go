package kkrpc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/kkrpc-go/kkrpc"
)

type exporter struct{ suffix string }

func (e *exporter) Export(ctx context.Context, table string, w io.Writer, rows ...int) error {
	for _, row := range rows {
		if _, err := fmt.Fprintf(w, "%s%s%d\n", table, e.suffix, row); err != nil {
			return err
		}
	}
	return nil
}

func TestWriters(t *testing.T) {
	failure := errors.New("disk gone")
	server := kkrpc.Object{
		"first":  func(w io.Writer, n int) { io.WriteString(w, text(n)) },
		"last":   func(ctx context.Context, n int, w io.Writer) error { _, err := io.WriteString(w, text(n)); return err },
		"middle": func(_ *string, w io.Writer, n int) error { _, err := io.WriteString(w, text(n)); return err },
		"fails":  func(w io.Writer, n int) error { io.WriteString(w, text(n)); return failure },
		"panics": func(w io.Writer, n int) error { io.WriteString(w, text(n)); panic("secret") },
		"upper": func(r io.Reader, w io.Writer) error {
			all, err := io.ReadAll(r)
			if err == nil {
				_, err = w.Write(bytes.ToUpper(all))
			}
			return err
		},
	}
	for _, d := range dialects {
		bubble(t, func(t *testing.T) {
			_, c := pair(t, kkrpc.Options{Expose: server, OnError: func(error) {}}, kkrpc.Options{Dialect: d})
			for how, open := range readersOf {
				for path, want := range map[string]string{"first": "", "last": "", "middle": "", "fails": failure.Error(), "panics": "internal error"} {
					for _, n := range []int{0, 1, 40_000} {
						args := []any{n}
						if path == "middle" {
							args = []any{nil, n}
						}
						r, err := open(t.Context(), c, path, args...)
						if err != nil {
							t.Fatal(err)
						}
						got, err := io.ReadAll(r)
						if string(got) != text(n) || (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
							t.Errorf("%v: %s(%d) by %s: %d bytes, %v", d, path, n, how, len(got), err)
						}
					}
				}
			}
			if err := c.Call(t.Context(), nil, "first"); err == nil || !strings.Contains(err.Error(), "argument 1: expected integer, got undefined") {
				t.Error(err)
			}
			if err := c.Call(t.Context(), nil, "first", 1, 2); err == nil || !strings.Contains(err.Error(), "expected at most 1 argument, got 2") {
				t.Error(err)
			}
			if d == kkrpc.Compact || d == kkrpc.CompactSuperJSON {
				r, err := kkrpc.Call[io.Reader](t.Context(), c, "upper", strings.NewReader("abc"))
				if err != nil {
					t.Fatal(err)
				}
				if got, err := io.ReadAll(r); string(got) != "ABC" || err != nil {
					t.Errorf("%v: upper: %q, %v", d, got, err)
				}
			}
		})
	}
}

// A method may have a writer among its parameters, also before variadic ones.
func TestWriterOfAMethod(t *testing.T) {
	needsMethods(t)
	type exports interface {
		Export(ctx context.Context, table string, w io.Writer, rows ...int) error
	}
	for _, d := range dialects {
		bubble(t, func(t *testing.T) {
			_, c := pair(t, kkrpc.Options{Expose: kkrpc.As[exports](&exporter{"#"})}, kkrpc.Options{Dialect: d})
			for how, open := range readersOf {
				for _, rows := range [][]any{{}, {1}, {1, 2, 3}} {
					r, err := open(t.Context(), c, "export", append([]any{"t"}, rows...)...)
					if err != nil {
						t.Fatal(err)
					}
					want := ""
					for _, row := range rows {
						want += fmt.Sprintf("t#%d\n", row)
					}
					if got, err := io.ReadAll(r); string(got) != want || err != nil {
						t.Errorf("%v: export by %s: %q, %v", d, how, got, err)
					}
				}
			}
		})
	}
}

func TestWriterWaitsForTheConsumer(t *testing.T) {
	for _, d := range dialects[:2] {
		bubble(t, func(t *testing.T) {
			var writes atomic.Int64
			end := make(chan error, 2)
			var writer io.Writer
			server := kkrpc.Object{"export": func(ctx context.Context, w io.Writer) error {
				writer = w
				for {
					n, err := w.Write(make([]byte, 10))
					if err != nil {
						end <- err
						<-ctx.Done()
						end <- ctx.Err()
						return fmt.Errorf("n is %d: %w", n, err)
					}
					writes.Add(1)
				}
			}}
			_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
			r, err := kkrpc.Call[io.ReadCloser](t.Context(), c, "export")
			if err != nil {
				t.Fatal(err)
			}
			if synctest.Wait(); writer != nil {
				t.Error("the function runs before the consumer begins")
			}
			if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
				t.Fatal(err)
			}
			if synctest.Wait(); writes.Load() != 31 {
				t.Errorf("%d writes have returned when one item was taken", writes.Load())
			}
			r.Close()
			if err := <-end; err != io.ErrClosedPipe {
				t.Errorf("Write when the consumer had left: %v", err)
			}
			if err := <-end; err == nil {
				t.Error("the context goes on")
			}
			synctest.Wait()
			if n, err := writer.Write([]byte("late")); n != 0 || err != io.ErrClosedPipe {
				t.Errorf("Write when the function had returned: %d, %v", n, err)
			}
		})
	}
}

func TestWritersOfManyGoroutines(t *testing.T) {
	for _, d := range dialects {
		left := make(chan error, 1)
		server := kkrpc.Object{"export": func(w io.Writer) {
			var all sync.WaitGroup
			for i := range 4 {
				all.Go(func() {
					for range 100 {
						fmt.Fprintf(w, "%d", i)
					}
				})
			}
			all.Wait()
			go func() {
				var err error
				for err == nil { // goes on when the function has returned
					_, err = w.Write([]byte("x"))
				}
				left <- err
			}()
		}}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
		r, err := kkrpc.Call[io.Reader](t.Context(), c, "export")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		for i := range 4 {
			if n := strings.Count(string(got), fmt.Sprint(i)); n != 100 || err != nil {
				t.Errorf("%v: %d of %d, %v", d, n, i, err)
			}
		}
		if err := <-left; err != io.ErrClosedPipe {
			t.Errorf("%v: %v", d, err)
		}
	}
}

// Interceptors see the arguments without the writer, and a stream as the outcome.
func TestWriterUnderInterceptors(t *testing.T) {
	var args []any
	var result any
	see := func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
		args = r.Args
		var err error
		result, err = next(ctx, r)
		return result, err
	}
	server := kkrpc.Object{
		"export": func(a string, w io.Writer, b int) { fmt.Fprint(w, a, b) },
		"open":   func() io.Reader { return card{strings.NewReader("read")} },
	}
	_, c := pair(t, kkrpc.Options{Expose: server, Inbound: []kkrpc.Interceptor{see}}, kkrpc.Options{})
	for path, want := range map[string]string{"export": "a7", "open": "read"} {
		given := []any{"a", 7}
		if path == "open" {
			given = nil
		}
		r, err := kkrpc.Call[io.Reader](t.Context(), c, path, given...)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); string(got) != want || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if path == "export" && (len(args) != 2 || fmt.Sprintf("%T", result) != "iter.Seq2[[]uint8,error]") {
			t.Errorf("args %v, result %T", args, result)
		}
	}
}

// An interceptor may read the stream itself and leave it.
func TestWriterThatAnInterceptorReads(t *testing.T) {
	read := func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
		result, err := next(ctx, r)
		for chunk := range result.(iter.Seq2[[]byte, error]) {
			return string(chunk), err
		}
		return "nothing", err
	}
	server := kkrpc.Object{"export": func(w io.Writer) error {
		_, err := io.WriteString(w, "first")
		if err != io.ErrClosedPipe {
			t.Error(err)
		}
		return err
	}}
	_, c := pair(t, kkrpc.Options{Expose: server, Inbound: []kkrpc.Interceptor{read}, OnError: func(err error) { t.Error(err) }}, kkrpc.Options{})
	if got, err := kkrpc.Call[string](t.Context(), c, "export"); got != "first" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// A goroutine that a function has left behind may go on to write when the function has panicked.
func TestWriteAfterAPanic(t *testing.T) {
	var writer io.Writer
	read := func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
		result, err := next(ctx, r)
		defer func() { _ = recover() }()
		for range result.(iter.Seq2[[]byte, error]) {
			t.Error("there is an item")
		}
		return nil, err
	}
	server := kkrpc.Object{"export": func(w io.Writer) {
		writer = w
		panic("secret")
	}}
	_, c := pair(t, kkrpc.Options{Expose: server, Inbound: []kkrpc.Interceptor{read}}, kkrpc.Options{})
	if err := c.Call(t.Context(), nil, "export"); err != nil {
		t.Fatal(err)
	}
	if n, err := writer.Write([]byte("late")); n != 0 || err != io.ErrClosedPipe {
		t.Errorf("%d, %v", n, err)
	}
}
