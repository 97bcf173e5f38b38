// Package kkvalidator validates the arguments and results of kkrpc calls by the `validate` tags of their structs, with
// github.com/go-playground/validator. A refusal looks like one of kkrpc's own validation. A TypeScript caller
// recognises it by isRPCValidationError from kkrpc/validation.
//
//	type NewUser struct {
//		Name  string `json:"name" validate:"required,max=80"`
//		Email string `json:"email" validate:"required,email"`
//	}
//
//	opts := kkrpc.Options{Inbound: []kkrpc.Interceptor{kkvalidator.New(nil, nil)}}
//
// # Validated values
//
// Inbound, the interceptor validates the arguments before the function runs (phase "input") and its result (phase
// "output"). Outbound, it validates the result of the peer (phase "output"). It finds a struct as the argument or
// result itself, behind pointers, and in slices, arrays, maps and interfaces. Inside a struct the rules of the
// validator apply. It validates fields that are structs or pointers to them, and slices and maps with the tag dive.
//
// # The error
//
// The error is a *kkrpc.Error named RPCValidationError with the fields phase, method and issues. An issue has a message
// and the path to the value with JavaScript's names. For an argument the path begins with its index. Names of
// properties, indexes and keys follow.
//
// # Forms
//
// The command kkrpc gen ts --validate writes the rules of structs into TypeScript, as schemas for forms. Their issues have
// the default messages and, but for the index of the argument, the paths of these errors.
package kkvalidator

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/go-playground/validator/v10"

	"github.com/kkrpc-go/kkrpc"
)

// Options words the issues. Nil and the zero value mean the defaults.
type Options struct {
	// Message returns the text of an issue, for instance a translation. Nil means texts such as "email must satisfy
	// email". name is the last part of the path.
	Message func(name string, e validator.FieldError) string
}

// New returns an interceptor for Options.Inbound or Options.Outbound that validates by v. A nil v means a validator
// with its default rules and validator.WithRequiredStructEnabled. Register your own rules with v first. If v does not
// know a tag, it panics at the first value of the type. The caller then gets an InternalError.
func New(v *validator.Validate, opts *Options) kkrpc.Interceptor {
	if v == nil {
		v = validator.New(validator.WithRequiredStructEnabled())
	}
	message := defaultMessage
	if opts != nil && opts.Message != nil {
		message = opts.Message
	}
	validate := func(ctx context.Context) *walk {
		return &walk{ctx: ctx, validate: v, message: message}
	}
	return func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
		if r.Inbound {
			w := validate(ctx)
			for i, arg := range r.Args {
				path := []any{i}
				if r.Operation == "set" {
					path = nil // the value is no argument
				}
				w.value(reflect.ValueOf(arg), path)
			}
			if err := w.failure("input", r.Path); err != nil {
				return nil, err
			}
		}
		result, err := next(ctx, r)
		if err != nil {
			return result, err
		}
		w := validate(ctx)
		w.value(reflect.ValueOf(result), nil)
		if err := w.failure("output", r.Path); err != nil {
			return nil, err
		}
		return result, nil
	}
}

// issue is one violated rule, in the form of Standard Schema.
type issue struct {
	Message string `json:"message"`
	Path    []any  `json:"path"` // strings and numbers
}

// maxIssues bounds the issues in the error of one request.
const maxIssues = 32

// failure is the error for what was found, nil if that is nothing.
func (w *walk) failure(phase, method string) error {
	if len(w.issues) == 0 {
		return nil
	}
	texts := make([]string, len(w.issues))
	for i, one := range w.issues {
		texts[i] = one.Message
	}
	return &kkrpc.Error{
		Name:    "RPCValidationError",
		Message: fmt.Sprintf("RPC %s validation failed for %q: %s", phase, method, strings.Join(texts, "; ")),
		Fields:  map[string]any{"phase": phase, "method": method, "issues": w.issues},
	}
}

// structure validates one struct.
func (w *walk) structure(v reflect.Value, path []any) {
	err := w.validate.StructCtx(w.ctx, v.Interface())
	failed, ok := errors.AsType[validator.ValidationErrors](err)
	if !ok {
		return // of a type that has nothing to validate, such as time.Time
	}
	for _, e := range failed {
		at := append(path[:len(path):len(path)], pathIn(v, e.StructNamespace())...)
		w.add(w.message(nameOf(at), e), at)
	}
}

func (w *walk) add(message string, path []any) {
	if len(w.issues) < maxIssues {
		if path == nil {
			path = []any{}
		}
		w.issues = append(w.issues, issue{message, path})
	}
}

func nameOf(path []any) string {
	if len(path) == 0 {
		return "the value"
	}
	switch last := path[len(path)-1].(type) {
	case string:
		return last
	default:
		if len(path) == 1 {
			return fmt.Sprintf("argument %d", last.(int)+1)
		}
		return fmt.Sprintf("%s[%d]", nameOf(path[:len(path)-1]), last)
	}
}

func defaultMessage(name string, e validator.FieldError) string {
	switch {
	case e.Tag() == "required":
		return name + " is required"
	case e.Param() != "" && !strings.Contains(e.Tag(), "|"): // alternatives have theirs in the tag
		return name + " must satisfy " + e.Tag() + "=" + e.Param()
	default:
		return name + " must satisfy " + e.Tag()
	}
}
