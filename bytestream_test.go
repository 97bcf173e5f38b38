package kkrpc_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// source is a reader that counts.
type source struct {
	io.Reader
	reads, closes atomic.Int64
}

func (s *source) Read(p []byte) (int, error) {
	s.reads.Add(1)
	return s.Reader.Read(p)
}

func (s *source) Close() error {
	s.closes.Add(1)
	return nil
}

// zeros has no end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// readersOf are the ways in which a Go client reads a stream of bytes.
var readersOf = map[string]func(ctx context.Context, c kkrpc.Caller, path string, args ...any) (io.Reader, error){
	"Call of io.Reader": func(ctx context.Context, c kkrpc.Caller, path string, args ...any) (io.Reader, error) {
		return kkrpc.Call[io.Reader](ctx, c, path, args...)
	},
	"Call of io.ReadCloser": func(ctx context.Context, c kkrpc.Caller, path string, args ...any) (io.Reader, error) {
		return kkrpc.Call[io.ReadCloser](ctx, c, path, args...)
	},
	"Stream": func(ctx context.Context, c kkrpc.Caller, path string, args ...any) (io.Reader, error) {
		var all bytes.Buffer
		for chunk, err := range kkrpc.Stream[[]byte](ctx, c, path, args...) {
			if err != nil {
				return io.MultiReader(&all, iotest.ErrReader(err)), nil
			}
			all.Write(chunk)
		}
		return &all, nil
	},
}

func text(n int) string { return strings.Repeat("0123456789abcde\n", n/16+1)[:n] }

func TestReadersAsResults(t *testing.T) {
	failure := errors.New("disk gone")
	var last atomic.Pointer[source]
	from := func(r io.Reader) *source {
		s := &source{Reader: r}
		last.Store(s)
		return s
	}
	server := kkrpc.Object{
		"reader":    func(n int) io.Reader { return from(strings.NewReader(text(n))) },
		"closer":    func(n int) (io.ReadCloser, error) { return from(strings.NewReader(text(n))), nil },
		"any":       func(n int) any { return from(strings.NewReader(text(n))) },
		"one byte":  func(n int) io.Reader { return from(iotest.OneByteReader(strings.NewReader(text(min(n, 100))))) },
		"data, EOF": func(n int) io.Reader { return from(iotest.DataErrReader(strings.NewReader(text(n)))) },
		"fails": func(n int) io.Reader {
			return from(io.MultiReader(strings.NewReader(text(n)), iotest.ErrReader(failure)))
		},
		"data, error": func(n int) io.Reader {
			return from(iotest.DataErrReader(io.MultiReader(strings.NewReader(text(n)), iotest.ErrReader(failure))))
		},
	}
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
				for path := range server {
					for how, open := range readersOf {
						for _, n := range []int{0, 1, 40_000} {
							r, err := open(t.Context(), c, path, n)
							if err != nil {
								t.Fatalf("%s(%d) by %s: %v", path, n, how, err)
							}
							got, err := io.ReadAll(r)
							want := text(n)
							if path == "one byte" {
								want = text(min(n, 100))
							}
							fails := path == "fails" || path == "data, error"
							if string(got) != want || (err != nil) != fails || fails && !strings.Contains(err.Error(), failure.Error()) {
								t.Errorf("%s(%d) by %s: %d bytes, %v", path, n, how, len(got), err)
							}
							if n := last.Load().closes.Load(); n != 1 {
								t.Errorf("%s by %s: closed %d times", path, how, n)
							}
							if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil {
								t.Errorf("%s by %s: after the end %d, %v", path, how, n, err)
							}
						}
					}
				}
			})
		})
	}
}

func TestReaderChunks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{
			"open":  func() io.Reader { return strings.NewReader(text(70_000)) },
			"write": func(w io.Writer) { io.WriteString(w, text(70_000)) },
		}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{})
		for path := range server {
			var sizes []int
			for chunk, err := range kkrpc.Stream[[]byte](t.Context(), c, path) {
				if err != nil {
					t.Fatal(err)
				}
				sizes = append(sizes, len(chunk))
			}
			if want := []int{32768, 32768, 4464}; !slices.Equal(sizes, want) {
				t.Error(path, sizes)
			}
		}
	})
}

// An io.Reader that decides about its JSON is data, unless the result is declared as a reader.
type card struct{ *strings.Reader }

// readerFunc is a func that is no callback.
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func (card) MarshalJSON() ([]byte, error) { return []byte(`"card"`), nil }

func TestWhichValuesAreReaders(t *testing.T) {
	var missing *os.File
	server := kkrpc.Object{
		"nil":      func() io.Reader { return nil },
		"missing":  func() io.Reader { return missing },
		"declared": func() io.Reader { return card{strings.NewReader("read")} },
		"data":     func() any { return card{strings.NewReader("read")} },
		"nested":   func() []any { return []any{strings.NewReader("read")} },
		"take":     func(v any) string { return fmt.Sprintf("%T", v) },
		"property": kkrpc.ReadOnly[io.Reader](func(context.Context) (io.Reader, error) { return card{strings.NewReader("read")}, nil }),
	}
	bubble(t, func(t *testing.T) {
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{})
		for path, want := range map[string]string{"nil": "<nil>", "missing": "<nil>", "data": "card", "nested": "[map[]]"} {
			if got, err := kkrpc.Call[any](t.Context(), c, path); err != nil || fmt.Sprint(got) != want {
				t.Errorf("%s: %v, %v", path, got, err)
			}
		}
		for range 2 {
			r, err := kkrpc.Call[io.Reader](t.Context(), c, "declared")
			property, propertyErr := kkrpc.Get[io.Reader](t.Context(), c, "property")
			if err := errors.Join(err, propertyErr); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(io.MultiReader(r, property)); string(got) != "readread" || err != nil {
				t.Errorf("declared: %q, %v", got, err)
			}
		}
		_, err := kkrpc.Call[io.Reader](t.Context(), c, "data")
		if err == nil || !strings.Contains(err.Error(), "expected stream, got string") {
			t.Error(err)
		}
		for _, test := range []struct {
			arg  any
			want string
		}{
			{strings.NewReader("a"), "iter.Seq2[interface {},error]"},
			{io.LimitReader(zeros{}, 1), "iter.Seq2[interface {},error]"},
			{zeros{}, "iter.Seq2[interface {},error]"},
			{readerFunc(zeros{}.Read), "iter.Seq2[interface {},error]"},
			{missing, "<nil>"},
			{card{}, "string"},
			{json.RawMessage(`1`), "float64"},
			{[]any{strings.NewReader("a")}, "[]interface {}"},
			{struct{ R io.Reader }{strings.NewReader("a")}, "map[string]interface {}"},
		} {
			if got, err := kkrpc.Call[string](t.Context(), c, "take", test.arg); got != test.want || err != nil {
				t.Errorf("%T: %s, %v", test.arg, got, err)
			}
		}
		_, err = kkrpc.Call[any](t.Context(), c, "take", bufio.NewWriter(io.Discard))
		if err == nil || !strings.Contains(err.Error(), "argument 1: *bufio.Writer cannot be an argument") || !strings.Contains(err.Error(), "read the result") {
			t.Error(err)
		}
	})
}

// endings are the ways in which a stream of a reader can end. Each has to close it once.
func TestReaderIsClosedOnce(t *testing.T) {
	const classicRequest = `{"id":"q","method":"open","args":[],"type":"request","version":"json"}` + "\n"
	for name, test := range map[string]struct {
		messages []string // of the peer behind its request
		reader   io.Reader
		limits   kkrpc.Limits
		close    bool // the connection
		classic  bool
		reads    bool
		twice    bool // the request
		burst    bool // the messages come before anything of this side runs
	}{
		"end":                     {messages: []string{pull(32)}, reader: strings.NewReader("a"), reads: true},
		"left":                    {messages: []string{pull(1), `{"t":"sq","id":"p","sid":"s1","op":"return"}`}, reader: zeros{}, reads: true},
		"left before the first":   {messages: []string{`{"t":"sq","id":"p","sid":"s1","op":"return"}`}, reader: zeros{}},
		"left at once":            {messages: []string{pull(1), `{"t":"sq","id":"p","sid":"s1","op":"return"}`}, burst: true, reader: zeros{}},
		"left while Read waits":   {messages: []string{pull(1), `{"t":"sq","id":"p","sid":"s1","op":"return"}`}, reader: waiting{}, reads: true},
		"lost":                    {messages: []string{pull(1)}, reader: zeros{}, close: true, reads: true},
		"lost before the first":   {reader: zeros{}, close: true},
		"lost while Read waits":   {messages: []string{pull(1)}, reader: waiting{}, close: true, reads: true},
		"error":                   {messages: []string{pull(32)}, reader: iotest.ErrReader(io.ErrUnexpectedEOF), reads: true},
		"panic":                   {messages: []string{pull(32)}, reader: panics{}, reads: true},
		"never pulled":            {reader: zeros{}, limits: kkrpc.Limits{StreamIdle: time.Minute}},
		"too many streams":        {reader: zeros{}, limits: kkrpc.Limits{Streams: 1}, twice: true},
		"classic":                 {reader: strings.NewReader("a"), classic: true, reads: true},
		"classic, left":           {messages: []string{`{"id":"q","method":"","args":{},"type":"stream-cancel","version":"json"}` + "\n"}, reader: waiting{}, classic: true, reads: true},
		"classic, lost":           {reader: waiting{}, classic: true, close: true, reads: true},
		"no result for two of it": {reader: waiting{}, classic: true, twice: true, close: true, reads: true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var opened []*source
				released := make(chan struct{})
				server := kkrpc.Object{"open": func() io.Reader {
					r := test.reader
					if r == (waiting{}) {
						r = &waitingReader{released}
					}
					s := &source{Reader: r}
					opened = append(opened, s)
					return s
				}}
				ch, peer := raw(t, kkrpc.Options{Expose: server, Limits: test.limits, OnError: func(error) {}})
				request := openStream
				if test.classic {
					request = classicRequest
				}
				write(t, peer, request)
				if test.twice {
					write(t, peer, request)
				}
				synctest.Wait()
				for _, m := range test.messages {
					write(t, peer, m)
					if !test.burst {
						synctest.Wait()
					}
				}
				if test.close {
					ch.Close()
				}
				if test.limits.StreamIdle > 0 {
					time.Sleep(time.Hour)
				}
				synctest.Wait()
				for i, s := range opened[len(opened)-1:] {
					if n := s.closes.Load(); n != 1 {
						t.Errorf("reader %d was closed %d times", i+1, n)
					}
				}
				if reads := opened[0].reads.Load() > 0; reads != test.reads && !test.burst {
					t.Errorf("read: %v", reads)
				}
				close(released)
				ch.Close()
				synctest.Wait()
				for i, s := range opened {
					if n := s.closes.Load(); n != 1 {
						t.Errorf("reader %d was closed %d times in the end", i+1, n)
					}
				}
			})
		})
	}
}

// waiting stands for a reader that has nothing to read until the test is over.
type waiting struct{ io.Reader }

type waitingReader struct{ released <-chan struct{} }

func (w *waitingReader) Read([]byte) (int, error) { <-w.released; return 0, io.EOF }

type panics struct{}

func (panics) Read([]byte) (int, error) { panic("secret") }

func TestPanicInCloseIsReported(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var reported atomic.Value
		server := kkrpc.Object{"open": func() io.Reader { return badCloser{zeros{}} }}
		_, peer := raw(t, kkrpc.Options{Expose: server, OnError: func(err error) { reported.Store(err.Error()) }})
		write(t, peer, openStream, `{"t":"sq","id":"p","sid":"s1","op":"return"}`)
		synctest.Wait()
		if text, _ := reported.Load().(string); !strings.Contains(text, "panic in Close of the io.Reader of open: no") {
			t.Error(text)
		}
	})
}

type badCloser struct{ io.Reader }

func (badCloser) Close() error { panic("no") }

func TestReaderIsNotAheadOfTheConsumer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := &source{Reader: zeros{}}
		server := kkrpc.Object{"open": func() io.Reader { return s }}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{})
		r, err := kkrpc.Call[io.ReadCloser](t.Context(), c, "open")
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := s.reads.Load(); n != 0 {
			t.Errorf("%d reads before the consumer has begun", n)
		}
		if _, err := io.ReadFull(r, make([]byte, 32<<10)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := s.reads.Load(); n != 32 {
			t.Errorf("%d reads for one item that was taken", n)
		}
		r.Close()
		synctest.Wait()
		if n, closes := s.reads.Load(), s.closes.Load(); n != 32 || closes != 1 {
			t.Errorf("after Close: %d reads, closed %d times", n, closes)
		}
		if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.ErrClosedPipe {
			t.Errorf("Read after Close: %d, %v", n, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Close and the ctx of the call end a Read that waits.
func TestReadThatWaits(t *testing.T) {
	for _, d := range dialects {
		bubble(t, func(t *testing.T) {
			released := make(chan struct{})
			defer close(released)
			server := kkrpc.Object{"open": func() io.Reader { return &waitingReader{released} }}
			s, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
			for _, test := range []struct {
				end  func(r io.Closer, cancel func())
				want error
			}{
				{func(r io.Closer, _ func()) { r.Close() }, io.ErrClosedPipe},
				{func(_ io.Closer, cancel func()) { cancel() }, context.Canceled},
				{func(io.Closer, func()) { s.Close() }, kkrpc.ErrClosed},
			} {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				r, err := kkrpc.Call[io.ReadCloser](ctx, c, "open")
				if err != nil {
					t.Fatal(err)
				}
				got := make(chan error)
				go func() {
					_, err := r.Read(make([]byte, 1))
					got <- err
				}()
				synctest.Wait()
				test.end(r, cancel)
				if err := <-got; !errors.Is(err, test.want) {
					t.Errorf("%v: %v", d, err)
				}
			}
		})
	}
}

// A reader that nobody holds any more ends its stream.
func TestForgottenReader(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := &source{Reader: zeros{}}
		server := kkrpc.Object{"open": func() io.Reader { return s }}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{})
		func() {
			r, err := kkrpc.Call[io.Reader](t.Context(), c, "open")
			if err == nil {
				_, err = r.Read(make([]byte, 1))
			}
			if err != nil {
				t.Fatal(err)
			}
		}()
		for tries := 0; s.closes.Load() == 0; tries++ {
			if tries == 1000 {
				t.Fatal("the stream goes on")
			}
			runtime.GC()
			time.Sleep(time.Minute)
			synctest.Wait()
		}
	})
}

// 1 GiB is read in the memory of a few chunks.
func TestReadersTakeLittleMemory(t *testing.T) {
	size, most := int64(1<<30), uint64(24<<20)
	if raceEnabled || testing.Short() {
		size = 64 << 20
	}
	server := kkrpc.Object{"open": func() io.Reader { return io.LimitReader(zeros{}, size) }}
	_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{})
	r, err := kkrpc.Call[io.Reader](t.Context(), c, "open")
	if err != nil {
		t.Fatal(err)
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	chunk := make([]byte, 1<<20)
	read, peak := int64(0), uint64(0)
	for {
		n, err := io.ReadFull(r, chunk)
		read += int64(n)
		if err != nil {
			break
		}
		if read%(size/16) == 0 { // a slow consumer: the producer has all the time to run ahead
			runtime.GC()
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
		}
	}
	if read != size {
		t.Errorf("%d bytes of %d", read, size)
	}
	if peak > most {
		t.Errorf("%d MiB more than before", peak>>20)
	}
	t.Logf("%d KiB more than before at most", peak>>10)
}

// A single request, as over HTTP, carries no streams. The readers that functions return are closed all the same.
func TestReadersOfASingleRequest(t *testing.T) {
	s := &source{Reader: zeros{}}
	ran := false
	api, err := kkrpc.Expose(kkrpc.Object{
		"open":   func() io.Reader { return s },
		"nil":    func() io.Reader { return nil },
		"export": func(io.Writer) { ran = true },
		"count":  func(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"open": "carries no streams", "export": "carries no streams", "nil": `"v":null`, "count": "expected stream, got undefined"} {
		response, err := api.Answer(t.Context(), []byte(`{"t":"q","id":"q","op":"call","p":["`+path+`"],"a":[]}`), nil)
		if err != nil || !strings.Contains(string(response), want) {
			t.Errorf("%s: %s, %v", path, response, err)
		}
	}
	if n := s.closes.Load(); n != 1 || ran {
		t.Errorf("closed %d times; the function ran: %v", n, ran)
	}
	caller, err := kkrpc.Unary(func(context.Context, []byte) ([]byte, error) { panic("not called") }, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := caller.Call(t.Context(), nil, "count", s); !errors.Is(err, kkrpc.ErrUnsupported) || s.closes.Load() != 1 {
		t.Errorf("as an argument: %v; closed %d times", err, s.closes.Load())
	}
}
