package main

import (
	"log/slog"
	"reflect"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// logged returns api with every function wrapped in one that logs its calls.
func logged(log *slog.Logger, api kkrpc.Object) kkrpc.Object {
	return wrapAll(log, "", api)
}

func wrapAll(log *slog.Logger, prefix string, api kkrpc.Object) kkrpc.Object {
	wrapped := make(kkrpc.Object, len(api))
	for name, member := range api {
		namespace, ok := member.(kkrpc.Object)
		switch {
		case ok:
			wrapped[name] = wrapAll(log, prefix+name+".", namespace)
		case reflect.TypeOf(member).Kind() == reflect.Func:
			wrapped[name] = wrap(log.With("method", prefix+name), reflect.ValueOf(member))
		default:
			wrapped[name] = member
		}
	}
	return wrapped
}

// wrap returns a function of the same type.
func wrap(log *slog.Logger, fn reflect.Value) any {
	call := fn.Call
	if fn.Type().IsVariadic() {
		call = fn.CallSlice
	}
	return reflect.MakeFunc(fn.Type(), func(args []reflect.Value) []reflect.Value {
		start := time.Now()
		results := call(args)
		took := slog.Duration("took", time.Since(start))
		if err := errorOf(results); err != nil {
			log.Warn("call", took, slog.Any("error", err))
		} else {
			log.Info("call", took)
		}
		return results
	}).Interface()
}

// errorOf is the last result if it is an error.
func errorOf(results []reflect.Value) error {
	if len(results) == 0 {
		return nil
	}
	err, _ := results[len(results)-1].Interface().(error)
	return err
}
