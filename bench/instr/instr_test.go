package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestCases does the work of each case without counting.
func TestCases(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(2 * burst); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		name      string
		want, got int64
		verdict   verdict
		text      string
	}{
		{"as before", 1000, 1000, same, "+0.0 %"},
		{"the most that is tolerated", 1000, 1050, same, "+5.0 %"},
		{"more", 1000, 1051, dearer, "+5.1 % TOO MANY"},
		{"the least that is tolerated", 1000, 950, same, "-5.0 %"},
		{"fewer", 1000, 949, cheaper, "-5.1 % FEWER"},
		{"a new case", 0, 949, unknown, "not in the baseline"},
	} {
		v := judge(tt.want, tt.got)
		if text := describe(tt.want, tt.got, v); v != tt.verdict || text != tt.text {
			t.Errorf("%s: %v, %q", tt.name, v, text)
		}
	}
}

// TestBaseline: what -write writes is read again, and the committed file has every case and no other.
func TestBaseline(t *testing.T) {
	file := filepath.Join(t.TempDir(), "baseline.json")
	if err := (baseline{"here", map[string]int64{"a": 1}}).write(file); err != nil {
		t.Fatal(err)
	}
	if b, err := readBaseline(file); err != nil || b.Platform != "here" || b.Instructions["a"] != 1 {
		t.Errorf("read %v, %v", b, err)
	}
	b, err := readBaseline("baseline.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Instructions) != len(cases) || !strings.HasPrefix(b.Platform, "go") {
		t.Errorf("%q has %d cases, want %d: make instr-baseline", b.Platform, len(b.Instructions), len(cases))
	}
	for _, c := range cases {
		if b.Instructions[c.name] == 0 {
			t.Errorf("no %q: make instr-baseline", c.name)
		}
	}
}
