//go:build !js

package ws

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A peer can cause an error with each message, and must not fill the log with them.
func TestErrorsDoNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := Handler(nil, &Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		cause := func(n int) (lines []string) {
			log.Reset()
			for range n {
				s.opts.RPC.OnError(errors.New("boom"))
			}
			return strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
		}
		if lines := cause(5000); len(lines) != errorsAtOnce || !strings.Contains(lines[0], "err=boom") {
			t.Errorf("%d lines, the first is %s", len(lines), lines[0])
		}
		time.Sleep(time.Second)
		if lines := cause(10); len(lines) != 1 || !strings.Contains(lines[0], "left_out=4900") {
			t.Errorf("a second later the log has %q", lines)
		}
	})
}
