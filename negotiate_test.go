package kkrpc_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

func open(t *testing.T, over kkrpc.Transport, opts *kkrpc.Options) *kkrpc.Channel {
	t.Helper()
	ch, err := kkrpc.New(t.Context(), over, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ch.Close() })
	return ch
}

// TestNegotiate has a peer in Go tell its dialect at once.
func TestNegotiate(t *testing.T) {
	for _, row := range []struct {
		name string
		peer kkrpc.Options
		want kkrpc.Dialect
	}{
		{"any dialect", kkrpc.Options{}, kkrpc.Compact},
		{"compact", kkrpc.Options{Dialect: kkrpc.Compact}, kkrpc.Compact},
		{"compact SuperJSON", kkrpc.Options{Dialect: kkrpc.CompactSuperJSON}, kkrpc.CompactSuperJSON},
		{"SuperJSON alone is accepted", kkrpc.Options{Dialects: []kkrpc.Dialect{kkrpc.ClassicSuperJSON, kkrpc.CompactSuperJSON}}, kkrpc.CompactSuperJSON},
		{"classic", kkrpc.Options{Dialect: kkrpc.Classic}, kkrpc.Classic},
		{"classic SuperJSON", kkrpc.Options{Dialect: kkrpc.ClassicSuperJSON}, kkrpc.ClassicSuperJSON},
		{"classic alone is accepted", kkrpc.Options{Dialects: []kkrpc.Dialect{kkrpc.Classic}}, kkrpc.Classic},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var told []error
				row.peer.Expose = kkrpc.Object{"double": func(n int) int { return 2 * n }}
				row.peer.OnError = func(err error) { told = append(told, err) }
				began := time.Now()
				client, server := kkrpc.Pipe()
				peer := open(t, server, &row.peer)
				ch := open(t, client, &kkrpc.Options{Negotiate: time.Second, OnError: func(err error) { told = append(told, err) }})
				got, err := ch.AwaitDialect(t.Context())
				if err != nil || got != row.want || ch.Dialect() != row.want {
					t.Errorf("the dialect is %v, %v, want %v", got, err, row.want)
				}
				if n, err := kkrpc.Call[int](t.Context(), ch, "double", 21); n != 42 || err != nil {
					t.Errorf("got %d, %v", n, err)
				}
				synctest.Wait()
				if waited := time.Since(began); waited > 0 {
					t.Errorf("it took %v", waited)
				}
				if len(told) > 0 || ch.Dropped()+peer.Dropped() > 0 {
					t.Errorf("errors %v, %d and %d messages dropped", told, ch.Dropped(), peer.Dropped())
				}
			})
		})
	}
}

// TestNegotiateWithSilence has a peer that answers nothing. Its first call tells its dialect, also if that comes late.
func TestNegotiateWithSilence(t *testing.T) {
	for _, row := range []struct {
		name  string
		after time.Duration // until the peer calls
		want  kkrpc.Dialect // before that
	}{
		{"at once", 0, 0},
		{"between the questions", 150 * time.Millisecond, 0},
		{"when it has been given up", 2 * time.Second, kkrpc.Compact},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				client, server := kkrpc.Pipe()
				ch := open(t, client, &kkrpc.Options{Negotiate: 100 * time.Millisecond, Expose: kkrpc.Object{"hi": func() {}}})
				go func() { // the peer reads until the end
					for {
						if _, _, err := server.ReadFrame(nil); err != nil {
							return
						}
					}
				}()
				time.Sleep(row.after)
				synctest.Wait()
				if got := ch.Dialect(); got != row.want {
					t.Errorf("after %v of silence the dialect is %v, want %v", row.after, got, row.want)
				}
				call := []byte(`{"id":"1","method":"hi","args":[],"type":"request","callbackIds":[],"version":"json"}` + "\n")
				if err := server.WriteFrames([][]byte{call}); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if got := ch.Dialect(); got != kkrpc.Classic {
					t.Errorf("the dialect is %v when the peer has spoken", got)
				}
			})
		})
	}
}

// TestNegotiateAmongDialects guesses one that this side accepts.
func TestNegotiateAmongDialects(t *testing.T) {
	for _, row := range []struct {
		accepts []kkrpc.Dialect
		want    kkrpc.Dialect
	}{
		{[]kkrpc.Dialect{kkrpc.ClassicSuperJSON, kkrpc.Compact}, kkrpc.Compact},
		{[]kkrpc.Dialect{kkrpc.ClassicSuperJSON, kkrpc.CompactSuperJSON}, kkrpc.CompactSuperJSON},
		{[]kkrpc.Dialect{kkrpc.ClassicSuperJSON}, kkrpc.ClassicSuperJSON},
	} {
		bubble(t, func(t *testing.T) {
			client, server := kkrpc.Pipe()
			ch := open(t, client, &kkrpc.Options{Negotiate: time.Second, Dialects: row.accepts})
			go func() { // ends with the pipe
				for {
					if _, _, err := server.ReadFrame(nil); err != nil {
						return
					}
				}
			}()
			if got, err := ch.AwaitDialect(t.Context()); got != row.want || err != nil {
				t.Errorf("of %v: %v, %v, want %v", row.accepts, got, err, row.want)
			}
		})
	}
}

// TestAwaitDialectEnds gives up with its context, or with the channel.
func TestAwaitDialectEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		client, server := kkrpc.Pipe()
		ch := open(t, client, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if d, err := ch.AwaitDialect(ctx); d != 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, %v", d, err)
		}
		_ = server.Close(1000, "")
		if d, err := ch.AwaitDialect(t.Context()); d != 0 || !errors.Is(err, kkrpc.ErrClosed) {
			t.Errorf("got %v, %v", d, err)
		}
	})
	if _, err := (*kkrpc.Channel)(nil).AwaitDialect(t.Context()); !errors.Is(err, kkrpc.ErrUnsupported) {
		t.Errorf("of a nil channel: %v", err)
	}
}
