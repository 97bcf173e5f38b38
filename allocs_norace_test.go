//go:build !race

package kkrpc_test

import "testing"

const raceEnabled = false

// skipUnlessExact skips where pools do not keep what they are given: the race detector has them drop some of it.
func skipUnlessExact(*testing.T) {}
