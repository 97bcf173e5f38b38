// Package classic writes and parses the messages of kkrpc 0.x: JSON objects with long member names, each on a line
// of its own.
package classic

import "github.com/kkrpc-go/kkrpc/internal/wire"

// JSON and SuperJSON are the two codecs of this generation. Both parse the lines of either, since the original looks
// at each line: one that begins exactly with {"json": is SuperJSON, any other is JSON. They write their own.
var (
	JSON      wire.Codec = codec{wire.Classic}
	SuperJSON wire.Codec = codec{wire.ClassicSuperJSON}
)

type codec struct{ dialect wire.Dialect }

// Dialect implements wire.Codec.
func (c codec) Dialect() wire.Dialect { return c.dialect }

func (c codec) superJSON() bool { return c.dialect == wire.ClassicSuperJSON }
