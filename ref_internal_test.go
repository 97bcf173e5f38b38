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
		refs := ch.refs()
		table := &refs.held
		y, err := refs.accept("y", refObject)
		if err != nil {
			t.Fatal(err)
		}
		for round := range 3 {
			r, err := refs.accept("x", refObject)
			if err != nil {
				t.Fatal(err)
			}
			if got := table.held["x"].times; got != round+1 {
				t.Errorf("round %d: it came %d times", round, got)
			}
			if other, err := refs.accept("y", refObject); err != nil || other != y {
				t.Errorf("round %d: %v, %v", round, other, err)
			}
			table.collect(collected[Ref]{id: "x", ref: weak.Make(r)})
			if len(table.gone) != 1 || table.held["x"].times != 0 {
				t.Fatalf("round %d: %d collected", round, len(table.gone))
			}
			runtime.KeepAlive(r)
		}
		runtime.KeepAlive(y)
		refs.tell(false)
		if len(table.gone) != 0 {
			t.Error("told, but not forgotten")
		}
	})
}
