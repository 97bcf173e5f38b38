package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// decode stores the result of an answered call.
func (p *pendingCall) decode(ctx context.Context, ch *Channel, result any) error {
	if p.stream != nil {
		p.storeStream(ctx, result)
		return nil
	}
	if _, isAny := result.(*any); !isAny && acceptsStream(result) {
		return fmt.Errorf("result: expected stream, got %s", bind.JSONKind(p.value))
	}
	if p.value == nil {
		return decodeUndefined(result)
	}
	return resultError(ch.decodeKept(p.dialect, p.value, p.meta, result, types.RefUseOf(reflect.TypeOf(result).Elem()), p.own))
}

// resultError says that it is the result that could not be decoded.
func resultError(err error) error {
	if err == nil {
		return nil
	}
	if mismatch := (*superjson.TypeError)(nil); errors.As(err, &mismatch) {
		return fmt.Errorf("result%s: expected %s, got %s", at(mismatch.Path), mismatch.Expected, mismatch.Got)
	}
	if refused, ok := errors.AsType[*Error](err); ok { // in the words for a peer, but it is this side's
		switch refused.Name {
		case limitError:
			return fmt.Errorf("%w: result: %s", ErrLimit, refused.Message)
		case releasedError:
			return fmt.Errorf("%w: result: %s", ErrReleased, refused.Message)
		}
		return errors.New("result: " + refused.Message)
	}
	return err
}

// at writes a path relative to a value behind that value's name.
func at(path string) string {
	if path == "" || path[0] == '[' {
		return path
	}
	return "." + path
}

func decodeUndefined(result any) error {
	if v, ok := result.(*superjson.Value); ok {
		*v = superjson.Value{}
		return nil
	}
	v := reflect.ValueOf(result).Elem()
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice:
		v.SetZero()
		return nil
	}
	if v.Type() == reflect.TypeOf(superjson.Undefined) {
		return nil
	}
	return fmt.Errorf("result: expected %s, got undefined", v.Type())
}
