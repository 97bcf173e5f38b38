package reminders

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// In the bubble of synctest an hour passes at once.
func TestRemind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := connect(t, t.Context(), API(), nil)
		reminded := make(chan string, 1)
		if err := ch.Call(t.Context(), nil, "remind", "tea", func(text string) { reminded <- text }); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if text := <-reminded; text != "tea" || time.Since(began) != time.Hour {
			t.Errorf("%q after %v", text, time.Since(began))
		}
	})
}

func TestMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := connect(t, t.Context(), API(), nil)
		began := time.Now()
		var got []int
		for n, err := range kkrpc.Stream[int](t.Context(), ch, "minutes") {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, n); n == 3 {
				break // the server's loop ends too
			}
		}
		if !slices.Equal(got, []int{1, 2, 3}) || time.Since(began) != 3*time.Minute {
			t.Errorf("%v after %v", got, time.Since(began))
		}
		synctest.Wait()
		if open := ch.Stats().StreamsIn; open != 0 {
			t.Errorf("%d streams are open", open)
		}
	})
}
