package main

import (
	"strings"
	"testing"
)

func TestComparison(t *testing.T) {
	of := func(cpu ...float64) row {
		var r row
		for _, c := range cpu {
			r.Samples = append(r.Samples, sample{CPU: c})
		}
		return r
	}
	tests := []struct {
		name        string
		before, now row
		ratio       float64
		verdict     string
	}{
		{"the ratio of each pair of runs, not of the medians", of(1, 2, 4), of(1, 4, 2), 1, "unclear"},
		{"all are within", of(1, 1, 1, 1), of(0.9, 1.03, 1.02, 1.05), 1.025, "within 5 %"},
		{"all are beyond", of(1, 2), of(1.06, 2.12), 1.06, "dearer"},
		{"one is beyond, of too few to leave one out", of(1, 1, 1, 1, 1), of(1, 1, 1, 1, 1.06), 1, "unclear"},
		{"one is beyond, of nine", of(1, 1, 1, 1, 1, 1, 1, 1, 1), of(1, 1, 1, 1, 1, 1, 1, 1, 1.06), 1, "within 5 %"},
		{"two are beyond, of nine", of(1, 1, 1, 1, 1, 1, 1, 1, 1), of(1, 1, 1, 1, 1, 1, 1, 1.06, 1.06), 1, "unclear"},
		{"cheaper", of(1), of(0.5), 0.5, "within 5 %"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &comparison{scenario: &scenario{name: "s"}, before: tt.before, now: tt.now}
			ratio, low, high, verdict := c.verdict()
			if ratio != tt.ratio || !strings.HasPrefix(verdict, tt.verdict) || low > ratio || high < ratio {
				t.Errorf("got %v (%v to %v), %s; want %v, %s", ratio, low, high, verdict, tt.ratio, tt.verdict)
			}
			var out strings.Builder
			printComparisons(&out, "1234567", []*comparison{c})
			if !strings.Contains(out.String(), verdict) {
				t.Errorf("%q is not in\n%s", verdict, out.String())
			}
		})
	}
}

func TestAgainstHasScenarios(t *testing.T) {
	if _, err := choose("scenario", againstScenarios, scenarios, func(s *scenario) string { return s.name }); err != nil {
		t.Error(err)
	}
}
