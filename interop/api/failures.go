package api

import (
	"errors"

	"github.com/kkrpc-go/kkrpc"
)

// failures are the functions that throw.
func failures() kkrpc.Object {
	return kkrpc.Object{
		"riskyOperation": func() error {
			return &kkrpc.Error{Message: "Something went wrong!", Cause: &kkrpc.Error{Message: "Root cause"}}
		},
		"throwTyped":  func() error { return &kkrpc.Error{Name: "TypeError", Message: "bad type"} },
		"throwString": func() error { return errors.New("plain string") },
		"throwDetails": func() error {
			return &kkrpc.Error{Name: "CustomError", Message: "custom failure", Fields: map[string]any{
				"code":    "E_CUSTOM",
				"details": map[string]any{"field": "name", "values": []int{1, 2}},
			}}
		},
	}
}

func divide(a, b float64) (float64, error) {
	if b == 0 {
		return 0, &kkrpc.Error{Name: "DivisionByZero", Message: "division by zero", Fields: map[string]any{"code": "E_DIV"}}
	}
	return a / b, nil
}
