//go:build !js

package ws

import (
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/leak"
)

// TestMain fails if goroutines of this module outlive the tests by more than the closing handshake may take.
func TestMain(m *testing.M) {
	leak.Main(m, lingerTime+10*time.Second)
}
