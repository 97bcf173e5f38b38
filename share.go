package kkrpc

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// Shared is a value that is encoded once and sent any number of times, to any channels; see [Share].
type Shared struct {
	value any
	forms [6]sharedForm // by superjson.Mode; then those with bytes beside the text
}

// sharedForm is the value as the dialects of one mode write it. Only once.Do changes it.
type sharedForm struct {
	once sync.Once
	raw  []byte
	kept any // a superjson.Value, if there are annotations
	err  error

	plain bool // raw is all there is to write
}

// Share prepares v for many receivers, such as the members of a room. v is encoded when it is first sent as JSON or as
// SuperJSON. Later uses copy the text. v and everything that it points to must not change any more.
//
// A *Shared stands for v as an argument, a result, the value of Set, a property or a constant. It cannot be a part of
// another value: share the whole. Functions, streams and references belong to one channel and cannot be shared. If v
// cannot be encoded, each use fails.
func Share(v any) *Shared {
	if s, ok := v.(*Shared); ok && s != nil {
		return s
	}
	return &Shared{value: v}
}

// MarshalJSON fails: see Share.
func (s *Shared) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a *kkrpc.Shared can only stand by itself, not inside of another value; share the whole")
}

// append appends the value, whose annotations are recorded under path. byteMark is that of enc.
func (s *Shared) append(enc *superjson.Encoder, dst []byte, path string, byteMark func() string) ([]byte, error) {
	if s == nil {
		return append(dst, "null"...), nil
	}
	f := s.form(enc.Mode(), byteMark)
	switch {
	case f.err != nil:
		return dst, f.err
	case f.kept != nil:
		return enc.Append(dst, path, f.kept)
	default:
		return append(dst, f.raw...), nil
	}
}

// appendPlain appends the value if that is all that a message needs to have of it. byteMark is that of the channel.
func (s *Shared) appendPlain(dst []byte, mode superjson.Mode, byteMark func() string) (_ []byte, ok bool) {
	if s == nil {
		return dst, false
	}
	f := s.form(mode, byteMark)
	if !f.plain {
		return dst, false
	}
	return append(dst, f.raw...), true
}

func (s *Shared) form(mode superjson.Mode, byteMark func() string) *sharedForm {
	f := &s.forms[mode]
	if byteMark != nil {
		f = &s.forms[len(s.forms)/2+int(mode)]
	}
	f.once.Do(func() {
		f.err = errors.New("a shared value: its marshaling panicked") // unless it gets further
		f.err = f.encode(s.value, mode, byteMark)
		f.plain = f.err == nil && f.kept == nil && !isUndefined(s.value)
	})
	return f
}

func (f *sharedForm) encode(v any, mode superjson.Mode, byteMark func() string) (err error) {
	if kind := reflect.ValueOf(v).Kind(); kind == reflect.Func || kind == reflect.Chan {
		return fmt.Errorf("%T cannot be shared: functions and streams belong to one channel", v)
	}
	enc := superjson.NewEncoder(mode)
	enc.SetReferences(misplaced("a *kkrpc.Ref belongs to one channel and cannot be shared"))
	enc.Beside(byteMark)
	if f.raw, err = enc.Append(nil, "", v); err != nil {
		return err
	}
	meta, err := enc.Meta()
	if meta == nil {
		return err
	}
	var kept superjson.Value
	if err := superjson.Decode(mode, f.raw, meta, &kept); err != nil {
		return err
	}
	f.kept, f.raw = kept, nil
	return nil
}

// misplaced refuses references where none can stand, for this reason.
type misplaced string

func (misplaced) ReferenceType() reflect.Type { return types.Ref() }

func (why misplaced) AppendReference(dst []byte, _ any) ([]byte, error) {
	return dst, errors.New(string(why))
}

// isUndefined reports whether arg is JavaScript's undefined.
func isUndefined(arg any) bool {
	if s, ok := arg.(*Shared); ok && s != nil {
		arg = s.value
	}
	return bind.IsUndefined(arg)
}
