package kkrpc

import (
	"fmt"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// Dialect is the generation of kkrpc that a peer speaks, together with its codec.
type Dialect uint8

const (
	// Compact is the default of kkrpc 2.x: JSON, one message per frame.
	Compact = Dialect(wire.Compact)
	// CompactSuperJSON is kkrpc 2.x with superJsonCodec.
	CompactSuperJSON = Dialect(wire.CompactSuperJSON)
	// Classic is kkrpc 0.x with serialization version "json": newline-terminated messages.
	Classic = Dialect(wire.Classic)
	// ClassicSuperJSON is kkrpc 0.x as it comes: serialization version "superjson".
	ClassicSuperJSON = Dialect(wire.ClassicSuperJSON)
)

var dialectNames = [...]string{"auto", "compact-json", "compact-superjson", "classic-json", "classic-superjson"}

// String returns the name that MarshalText and the WebSocket parameter ?kkrpc= use: compact-json,
// compact-superjson, classic-json, classic-superjson, and auto for zero.
func (d Dialect) String() string {
	if int(d) < len(dialectNames) {
		return dialectNames[d]
	}
	return fmt.Sprintf("Dialect(%d)", uint8(d))
}

// MarshalText implements encoding.TextMarshaler, so that a Dialect can be a flag or a field of a configuration.
func (d Dialect) MarshalText() ([]byte, error) {
	if int(d) < len(dialectNames) {
		return []byte(dialectNames[d]), nil
	}
	return nil, fmt.Errorf("kkrpc: unknown dialect %d", uint8(d))
}

// UnmarshalText is the inverse of MarshalText.
func (d *Dialect) UnmarshalText(text []byte) error {
	for i, name := range dialectNames {
		if string(text) == name {
			*d = Dialect(i)
			return nil
		}
	}
	return fmt.Errorf("kkrpc: unknown dialect %q; want compact-json, compact-superjson, classic-json or classic-superjson", text)
}
