package wasm

import (
	"testing"

	"github.com/kkrpc-go/kkrpc/wasm/internal/owner"
)

// TestContextTellsConnection is for package fetch, whose requests in a plain Worker belong to a connection.
func TestContextTellsConnection(t *testing.T) {
	if got := owner.ID((&Request{conn: &conn{id: 7}}).Context()); got != 7 {
		t.Errorf("the context of connection 7 is of %d", got)
	}
	if got := owner.ID((&Request{}).Context()); got != 0 {
		t.Errorf("the context of no connection is of %d", got)
	}
}
