// Package codecs leads from a dialect to its codec. It is apart from package wire, which the codecs import.
package codecs

import (
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/classic"
	"github.com/kkrpc-go/kkrpc/internal/wire/compact"
)

// Of returns what reads and writes d, which is known.
func Of(d wire.Dialect) wire.Codec {
	switch d {
	case wire.Compact:
		return compact.JSON
	case wire.CompactSuperJSON:
		return compact.SuperJSON
	case wire.Classic:
		return classic.JSON
	default:
		return classic.SuperJSON
	}
}
