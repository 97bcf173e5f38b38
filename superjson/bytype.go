package superjson

import (
	"reflect"
	"sync"
)

// byType caches one function for each type.
type byType[F any] struct {
	functions sync.Map // reflect.Type to F
}

// of returns the function for t and calls build the first time. A type may contain itself. Such a type gets
// standIn(made) while it is built, and made waits for the finished function.
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
