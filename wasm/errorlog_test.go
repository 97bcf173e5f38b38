package wasm

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A peer can cause an error with each message, and must not fill the console of the JavaScript server with them.
func TestErrorsDoNotFillTheConsole(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "console")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	console := os.Stderr
	defer func() { os.Stderr = console }()
	os.Stderr = file
	synctest.Test(t, func(t *testing.T) {
		s := start(nil, nil)
		cause := func(n int, text string) (lines []string) {
			t.Helper()
			if err := file.Truncate(0); err != nil {
				t.Fatal(err)
			}
			if _, err := file.Seek(0, 0); err != nil {
				t.Fatal(err)
			}
			for range n {
				s.opts.RPC.OnError(errors.New(text))
			}
			all, err := os.ReadFile(file.Name())
			if err != nil {
				t.Fatal(err)
			}
			return strings.Split(strings.TrimSuffix(string(all), "\n"), "\n")
		}
		if lines := cause(5000, "boom"); len(lines) != 100 || lines[0] != "boom" {
			t.Errorf("%d lines, the first is %s", len(lines), lines[0])
		}
		time.Sleep(time.Second)
		if lines := cause(10, strings.Repeat("x", 1<<20)); len(lines) != 1 || !strings.HasPrefix(lines[0], "xxx") || len(lines[0]) > 5000 || !strings.Contains(lines[0], "4900 errors before") {
			t.Errorf("a second later the console has %.100q", lines)
		}
	})
}

// An isolate of Workers has 128 MiB for all of it, so that the default for other servers would bound nothing.
func TestDefaultMemory(t *testing.T) {
	s := start(nil, nil)
	if limit := s.opts.RPC.Group.MemoryUsage().Limit; limit != 64<<20 {
		t.Errorf("the connections may hold %d bytes", limit)
	}
}
