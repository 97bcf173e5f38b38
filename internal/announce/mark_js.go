package announce

import (
	"encoding/binary"
	"math/rand/v2"
)

// random takes the runtime's own generator, ChaCha8 with a seed of the host's crypto: crypto/rand would make each program larger.
func random(p []byte) {
	var block [8]byte
	for i := 0; i < len(p); i += len(block) {
		binary.LittleEndian.PutUint64(block[:], rand.Uint64())
		copy(p[i:], block[:])
	}
}
