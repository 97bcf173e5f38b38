package interop_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// TestGoCallsJavaScriptInHono has the program call JavaScript that calls back before it returns, as writing to a file does.
func TestGoCallsJavaScriptInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		s := serve(t, h, "wasmserver", "")
		for _, row := range []struct{ function, want string }{
			{"mapped", "2 4 6"},
			{"printBoth", "printed"},
			{"printBoth", "printed"}, // the files are not held
		} {
			if got, err := callWithin(t, dial(t, s.url, kkrpc.Options{}), 10*time.Second, row.function); err != nil || got != row.want {
				t.Errorf("%s: %q, %v, want %q", row.function, got, err, row.want)
			}
		}
	})
}

// TestMemoryAbove2GiBInHono has addresses in the program that are negative for who takes them for an int32.
func TestMemoryAbove2GiBInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		ch := dial(t, serve(t, h, "wasmserver", "").url, kkrpc.Options{})
		if got, err := callWithin(t, ch, 30*time.Second, "hoard", 2304); err != nil {
			t.Fatalf("hoard: %q, %v", got, err)
		}
		long := strings.Repeat("x", 300_000)
		if got, err := callWithin(t, ch, 10*time.Second, "echo", long); err != nil || got != long {
			t.Errorf("echo: %.40q, %v", got, err)
		}
	})
}

func callWithin(t *testing.T, ch *kkrpc.Channel, timeout time.Duration, function string, args ...any) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return kkrpc.Call[string](ctx, ch, function, args...)
}
