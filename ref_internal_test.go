package kkrpc

import (
	"context"
	"runtime"
	"testing"
	"weak"
)

func TestAReferenceThatComesBeforeThePeerIsTold(t *testing.T) {
	a, _ := Pipe()
	ch, err := New(context.Background(), a, &Options{Dialect: Compact})
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	table := &ch.tables().refs
	y, err := table.accept("y", refObject)
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		r, err := table.accept("x", refObject)
		if err != nil {
			t.Fatal(err)
		}
		if got := table.remote["x"].received; got != round+1 {
			t.Errorf("round %d: it came %d times", round, got)
		}
		if other, err := table.accept("y", refObject); err != nil || other != y {
			t.Errorf("round %d: %v, %v", round, other, err)
		}
		table.collect(collectedRef{id: "x", ref: weak.Make(r)})
		if len(table.collected) != 1 || table.remote["x"].received != 0 {
			t.Fatalf("round %d: %d collected", round, len(table.collected))
		}
		runtime.KeepAlive(r)
	}
	runtime.KeepAlive(y)
	ch.tables().refs.tell()
	if len(table.collected) != 0 || table.dirty.Load() {
		t.Error("told, but not forgotten")
	}
}
