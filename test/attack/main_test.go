package main

import (
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	good := result{memory: 100, quiet: time.Millisecond, attacked: 3 * time.Millisecond, most: sample{Live: 120}}
	for name, change := range map[string]func(r *result){
		"memory":  func(r *result) { r.most.Live++ },
		"failed":  func(r *result) { r.refused++ },
		"latency": func(r *result) { r.attacked++ },
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
}
