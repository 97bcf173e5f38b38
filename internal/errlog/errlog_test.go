package errlog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/errlog"
)

func TestBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := errlog.New()
		passed := func(n int) (passed int, leftOut uint64) {
			for range n {
				if left, ok := b.Allow(); ok {
					passed++
					leftOut += left
				}
			}
			return
		}
		if n, left := passed(5000); n != errlog.AtOnce || left != 0 {
			t.Errorf("%d pass at once, %d are left out before them", n, left)
		}
		time.Sleep(3 * time.Second)
		if n, left := passed(5); n != 3 || left != 4900 {
			t.Errorf("%d pass after 3 s, %d are left out before them", n, left)
		}
	})
}

func TestClipped(t *testing.T) {
	short := errors.New(strings.Repeat("€", 1000))
	if got := errlog.Clipped(short); got != any(short) {
		t.Errorf("got %v", got)
	}
	if got := fmt.Sprint(errlog.Clipped(errors.New(strings.Repeat("€", 100_000)))); got != strings.Repeat("€", 1365)+"…" {
		t.Errorf("got %d bytes: …%s", len(got), got[max(0, len(got)-20):])
	}
}
