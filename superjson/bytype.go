package superjson

import (
	"reflect"
	"sync"
)

// byType keeps a function for each type.
type byType[F any] struct {
	functions sync.Map // reflect.Type to F
}

// of returns the function for t, which build makes the first time. A type may contain itself: what is built of itself gets
// standIn(made), whose made waits for the function.
func (b *byType[F]) of(t reflect.Type, build func(reflect.Type) F, standIn func(made func() F) F) F {
	if f, ok := b.functions.Load(t); ok {
		return f.(F)
	}
	var f F
	var building sync.WaitGroup
	building.Add(1)
	indirect := standIn(func() F {
		building.Wait()
		return f
	})
	if f, loaded := b.functions.LoadOrStore(t, indirect); loaded {
		return f.(F)
	}
	f = build(t)
	building.Done()
	b.functions.Store(t, f)
	return f
}
