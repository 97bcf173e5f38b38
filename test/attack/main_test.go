package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCheck(t *testing.T) {
	honest := func(p99 time.Duration) latencies { return latencies{P99: p99, Calls: 1} }
	good := result{
		plan:     plan{memory: 100},
		quiet:    honest(time.Millisecond),
		spared:   honest(2 * time.Millisecond),
		attacked: honest(6 * time.Millisecond),
		most:     held{Live: 200, Used: 50, Evicted: 1},
		exact:    held{Live: 120, Used: 50, Evicted: 1},
		attacks:  []done{{"first", 1, 1}},
	}
	for name, change := range map[string]func(r *result){
		"memory":              func(r *result) { r.exact.Live++ },
		"failed":              func(r *result) { r.attacked.Failed++ },
		"failed before":       func(r *result) { r.quiet.Failed++ },
		"no calls":            func(r *result) { r.attacked.Calls = 0 },
		"latency":             func(r *result) { r.attacked.P99++ },
		"no eviction":         func(r *result) { r.most.Evicted = 0 },
		"budget not used":     func(r *result) { r.most.Used-- },
		"no attack on memory": func(r *result) { r.exact.Used-- },
		"attack at the door":  func(r *result) { r.attacks = []done{{"first", 0, 1}} },
		"attack of nothing":   func(r *result) { r.attacks = []done{{"first", 1, 0}} },
	} {
		bad := good
		change(&bad)
		if bad.check(3) == nil {
			t.Errorf("%s: nothing is said", name)
		}
	}
	if err := good.check(3); err != nil {
		t.Error(err)
	}
	good.only, good.most = "first", held{}
	good.exact = held{}
	if err := good.check(3); err != nil {
		t.Error(err)
	}
}

func TestOnly(t *testing.T) {
	if _, err := (plan{only: "no such attack"}).run(); err == nil {
		t.Error("nothing is said of a name that no attack has")
	}
	var names []string
	for _, a := range chosen("pings") {
		names = append(names, a.name)
	}
	if d := cmp.Diff([]string{"pings"}, names); d != "" {
		t.Error(d)
	}
}
