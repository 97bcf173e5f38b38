package reminders

import (
	"errors"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

func TestGreet(t *testing.T) {
	ch := connect(t, t.Context(), API(), nil)
	if got, err := kkrpc.Call[string](t.Context(), ch, "greet", "Ada"); got != "Hello, Ada!" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	_, err := kkrpc.Call[string](t.Context(), ch, "greet", "")
	if thrown, ok := errors.AsType[*kkrpc.Error](err); !ok || thrown.Message != "a name is needed" {
		t.Errorf("error %v", err)
	}
}

// A fake peer is an object with the functions that the API calls.
func TestClearAsksFirst(t *testing.T) {
	var asked string
	ch := connect(t, t.Context(), API(), kkrpc.Object{
		"confirm": func(question string) bool { asked = question; return false },
	})
	cleared, err := kkrpc.Call[bool](t.Context(), ch, "clear")
	if cleared || err != nil || asked != "Clear all?" {
		t.Errorf("%v, %v after the question %q", cleared, err, asked)
	}
}
