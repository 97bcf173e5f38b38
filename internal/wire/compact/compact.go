// Package compact writes and parses the messages of kkrpc 2.x: one JSON object per frame, with one-letter members.
package compact

import "github.com/kkrpc-go/kkrpc/internal/wire"

// JSON and SuperJSON are the two codecs of this generation. Each ignores the messages of the other, as the original
// does: the codec of a connection is fixed.
var (
	JSON      wire.Codec = codec{wire.Compact}
	SuperJSON wire.Codec = codec{wire.CompactSuperJSON}
)

type codec struct{ dialect wire.Dialect }

// Dialect implements wire.Codec.
func (c codec) Dialect() wire.Dialect { return c.dialect }

func (c codec) superJSON() bool { return c.dialect == wire.CompactSuperJSON }
