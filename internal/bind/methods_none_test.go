//go:build kkrpc_functions

package bind

import "testing"

// needsMethods skips a test that exposes methods.
func needsMethods(tb testing.TB) {
	tb.Helper()
	tb.Skip("this build has no methods of types")
}
