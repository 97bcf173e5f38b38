package kkrpc

import (
	"context"
	"errors"
	"reflect"
	"sync"
)

// Property is a value that both sides may read and write at any time. It is a field of an exposed struct or a value in
// an Object. The zero Property holds the zero value of T. It must not be copied after first use. Get shares the slices,
// maps and pointers in a T: replace the value by Set, never change it in place.
type Property[T any] struct {
	mu    sync.RWMutex
	value T
	check func(old, value T) error
}

// NewProperty returns a Property that holds v.
func NewProperty[T any](v T) *Property[T] { return &Property[T]{value: v} }

// Get returns the value.
func (p *Property[T]) Get() T {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.value
}

// Set replaces the value. The peer is not notified.
func (p *Property[T]) Set(v T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.value = v
}

// OnSet has check called with every value that a peer sets, before it is stored. An error of check refuses the value
// and goes to the peer. One check runs at a time, and must not use the Property. OnSet is called before the Property is
// exposed.
func (p *Property[T]) OnSet(check func(old, value T) error) { p.check = check }

// ReadOnly returns a view through which the peer reads but cannot write.
func (p *Property[T]) ReadOnly() ReadOnly[T] {
	return func(context.Context) (T, error) { return p.Get(), nil }
}

// ReadOnly is a property that is computed each time the peer reads it. T may be a stream. It may be called from many
// goroutines at a time. Its ctx is like that of a function.
type ReadOnly[T any] func(ctx context.Context) (T, error)

// Class is the result of [Constructor], to be exposed.
type Class struct{ fn any }

// Constructor exposes fn to the peer's `new`, as in new api.Counter(1). fn is like any function of an API, but must
// return a value. The peer gets the value as plain data.
func Constructor(fn any) Class { return Class{fn: fn} }

// property is a Property or ReadOnly of any type.
type property interface {
	valueType() reflect.Type
	load(ctx context.Context) (any, error)
}

// settable is a property that the peer may write.
type settable interface {
	property
	store(pointer any) error
}

func (p *Property[T]) valueType() reflect.Type { return reflect.TypeFor[T]() }

func (p *Property[T]) load(context.Context) (any, error) { return p.Get(), nil }

// store takes the value that pointer, a *T, points to from the peer.
func (p *Property[T]) store(pointer any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := *pointer.(*T)
	if p.check != nil {
		if err := p.check(p.value, v); err != nil {
			return err
		}
	}
	p.value = v
	return nil
}

func (ReadOnly[T]) valueType() reflect.Type { return reflect.TypeFor[T]() }

func (r ReadOnly[T]) load(ctx context.Context) (any, error) {
	if r == nil {
		return nil, errors.New("property has no value")
	}
	return r(ctx)
}
