package main

import (
	"strings"
	"testing"
	"time"
)

// TestProgress has two runs of the second of twelve scenarios.
func TestProgress(t *testing.T) {
	for _, tt := range []struct {
		name     string
		terminal bool
		want     string
	}{
		{"a terminal", true, "\r\033[K   59s   2/12 add, run 1/3, go compact-json\r\033[K  1m0s   2/12 add, run 2/3, raw-echo echo\r\033[K"},
		{"a file", false, "   59s   2/12 add, run 1/3, go compact-json\n  1m0s   2/12 add, run 2/3, raw-echo echo\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			elapsed := 58 * time.Second
			p := &progress{w: &out, terminal: tt.terminal, of: 12, elapsed: func() time.Duration { elapsed += time.Second; return elapsed }}
			p.scenario()
			p.scenario()
			p.run("add", 1, 3, "go compact-json")
			p.run("add", 2, 3, "raw-echo echo")
			p.end()
			if got := out.String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
