package kkrpc

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"weak"
)

func TestAReferenceThatComesBeforeThePeerIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := Pipe()
		ch, err := New(context.Background(), a, &Options{Dialect: Compact})
		if err != nil {
			t.Fatal(err)
		}
		defer ch.Close()
		synctest.Wait() // the leader tells on its way into the first read
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
			if len(table.gone) != 1 || table.remote["x"].received != 0 {
				t.Fatalf("round %d: %d collected", round, len(table.gone))
			}
			runtime.KeepAlive(r)
		}
		runtime.KeepAlive(y)
		ch.tables().refs.tell()
		if len(table.gone) != 0 || table.dirty.Load() {
			t.Error("told, but not forgotten")
		}
	})
}
