package main

import (
	"slices"
	"testing"
	"time"
)

func TestGoals(t *testing.T) {
	measured := func(peer string, cpu ...float64) *row {
		r := &row{Scenario: "s", Peer: peer, Dialect: "d"}
		for _, c := range cpu {
			r.Samples = append(r.Samples, sample{CPU: c, Rate: 1000 / c, P50: time.Millisecond, P99: 2 * time.Millisecond})
		}
		return r
	}
	rows := []*row{measured("a", 1, 5, 2), measured("b", 4), {Scenario: "s", Peer: "absent", Dialect: "d", Absent: "no reason"}}
	a, b := subjectName{"a", "d"}, subjectName{"b", "d"}
	tests := []struct {
		name string
		goal goal
		got  float64
		met  bool
		why  string
	}{
		{"the median as a ratio", goal{row: a, against: b, number: cost, most: 0.5}, 0.5, true, ""},
		{"a ratio that is too large", goal{row: a, against: b, number: cost, most: 0.4}, 0.5, false, ""},
		{"at least", goal{row: a, against: b, number: perSecond, most: 2, least: true}, 2, true, ""},
		{"less than at least", goal{row: a, against: b, number: perSecond, most: 2.5, least: true}, 2, false, ""},
		{"the number itself", goal{row: a, number: slowest, most: 2.5}, 2, true, ""},
		{"no peer", goal{row: a, against: subjectName{"c", "d"}, number: cost}, 0, false, "c did not take part"},
		{"a peer that is absent", goal{row: a, against: subjectName{"absent", "d"}, number: cost}, 0, false, "absent was not measured"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.goal.scenario = "s"
			v := tt.goal.judge(rows)
			if v.got != tt.got || v.met != tt.met || v.why != tt.why {
				t.Errorf("got %v, met %v, why %q", v.got, v.met, v.why)
			}
		})
	}
}

// TestGoalsAreOfWhatIsMeasured finds a goal whose scenario or peers have another name.
func TestGoalsAreOfWhatIsMeasured(t *testing.T) {
	all, err := choose("peer", "", peers, func(p *peer) string { return p.name })
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range goals {
		found := map[subjectName]bool{none: true}
		for _, s := range scenarios {
			if s.name != g.scenario {
				continue
			}
			for _, sub := range s.subjects(all) {
				found[subjectName{sub.peer.name, sub.dialect}] = true
			}
		}
		if !found[g.row] || !found[g.against] {
			t.Errorf("%s: %s does not have %v and %v", g.about, g.scenario, g.row, g.against)
		}
	}
}

// TestOnly: a peer with a list of scenarios takes part in those, whatever their kind, and in no other.
func TestOnly(t *testing.T) {
	p := &peer{name: "p", dialects: []string{"d"}, can: []kind{rooms}, only: []string{"orders", "basic"}}
	for _, tt := range []struct {
		scenario scenario
		want     int
	}{
		{scenario{name: "orders", kind: objects}, 1},
		{scenario{name: "basic", basic: true}, 1},
		{scenario{name: "other", basic: true}, 0},
		{scenario{name: "room", kind: rooms}, 0},
		{scenario{name: "orders", kind: objects, tls: true}, 0},
	} {
		if got := tt.scenario.subjects([]*peer{p}); len(got) != tt.want {
			t.Errorf("%s: %v", tt.scenario.name, got)
		}
	}
	names := map[string]bool{}
	for _, s := range scenarios {
		names[s.name] = true
	}
	for _, p := range peers {
		for _, name := range p.only {
			if !names[name] {
				t.Errorf("%s takes part in %s, which does not exist", p.name, name)
			}
		}
	}
}

// TestDocument: the file says what ratios are to, and which goals the scenarios have that have run.
func TestDocument(t *testing.T) {
	measured := func(scenario, peer, dialect string, cpu float64) *row {
		return &row{Scenario: scenario, Peer: peer, Dialect: dialect, Samples: []sample{{CPU: cpu, P50: 1, P99: 2}}}
	}
	d := new(bench).document([]*row{
		measured("orders", "go", "compact-json", 1), measured("orders", baseline, "compact-json", 4), measured("members-1000-share", "bun-echo", "echo", 1),
	})
	var got []string
	for _, s := range d.Scenarios {
		got = append(got, s.Name+" to "+s.Base)
	}
	if want := []string{"orders to " + baseline, "members-1000-share to bun-echo"}; !slices.Equal(got, want) {
		t.Errorf("scenarios %q, want %q", got, want)
	}
	found := false
	for _, g := range d.Goals {
		if found = found || g.Goal == "placeOrder" && g.Met && g.Got == 0.25; g.Goal == "getUsers" {
			t.Error("a goal of a scenario that has not run")
		}
	}
	if !found || d.Cores == 0 || d.Processor == "" || d.Date.IsZero() {
		t.Errorf("%+v", d)
	}
}

func TestChoose(t *testing.T) {
	name := func(s *scenario) string { return s.name }
	got, err := choose("scenario", "add-64x16, add-1x1", scenarios, name)
	if err != nil || len(got) != 2 || got[0].name != "add-1x1" {
		t.Errorf("chose %v, %v", got, err)
	}
	if _, err := choose("scenario", "add-2x2", scenarios, name); err == nil {
		t.Error("a scenario that does not exist was chosen")
	}
}

// TestOthers: how quiet the machine was is said of the middle of all runs, so that one alone does not matter.
func TestOthers(t *testing.T) {
	of := func(shares ...float64) *row {
		r := new(row)
		for _, share := range shares {
			r.Samples = append(r.Samples, sample{Others: share})
		}
		return r
	}
	if got := others([]*row{of(0.01, 0.9), of(0.03), of()}); got != 0.03 {
		t.Errorf("%v", got)
	}
	if got := others(nil); got != 0 {
		t.Errorf("%v without a run", got)
	}
}
