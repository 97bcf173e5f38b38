package api_test

import (
	"testing"

	"github.com/kkrpc-go/kkrpc/examples/users/api"
	"github.com/kkrpc-go/kkrpc/examples/users/api/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Test(t, func(*testing.T) api.Store { return api.NewMemory() })
}
