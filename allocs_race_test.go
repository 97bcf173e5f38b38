//go:build race

package kkrpc_test

import "testing"

const raceEnabled = true

func skipUnlessExact(t *testing.T) {
	t.Skip("under the race detector pools drop some of what they are given")
}
