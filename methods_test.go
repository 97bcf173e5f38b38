//go:build !kkrpc_functions

package kkrpc_test

import "testing"

// needsMethods skips a test that exposes methods where the build tag kkrpc_functions leaves them out.
func needsMethods(testing.TB) {}
