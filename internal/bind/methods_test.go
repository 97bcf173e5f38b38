//go:build !kkrpc_functions

package bind

import "testing"

// needsMethods skips a test that exposes methods where the build tag kkrpc_functions leaves them out.
func needsMethods(testing.TB) {}
