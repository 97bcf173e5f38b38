package stdio

import (
	"bytes"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/codecs"
)

// detectDepth is the depth to which a line is examined. The channel answers a deeper message with a refusal.
const detectDepth = 64

// filter tells messages from the other lines that a program prints.
type filter struct {
	dialect wire.Dialect // of all messages; Unknown for any
	message wire.Message // the last one
}

// isMessage reports whether the channel will take a line: it is a message of its dialect, or a request that it refuses. A
// line of JSON with a member t or type alone is none.
func (f *filter) isMessage(line []byte) bool {
	line = bytes.TrimSpace(line)
	if !mayBeMessage(line) {
		return false
	}
	likely := wire.Begins(line)
	switch {
	case f.dialect != wire.Unknown:
		return f.parses(line, f.dialect)
	case likely != wire.Unknown && f.parses(line, likely):
		return true
	}
	d, _, _ := wire.Detect(line, detectDepth)
	return d != wire.Unknown && d != likely && f.parses(line, d)
}

func (f *filter) parses(line []byte, d wire.Dialect) bool {
	err := codecs.Of(d).Parse(line, &f.message, detectDepth)
	whole := f.message.ID != nil || f.message.Kind == wire.Release // all other kinds have an id
	taken := whole && (err == nil || wire.Answerable(err))
	if len(line) > outputBytes {
		f.message.Forget()
	}
	return taken
}

// mayBeMessage reports whether a line that begins like this can be a message.
func mayBeMessage(line []byte) bool {
	line = bytes.TrimLeft(line, " \t\r\n")
	return len(line) > 0 && line[0] == '{'
}

// passOn gives Output a line that is no message, which may lack its newline.
func (c *conn) passOn(line []byte) {
	if len(bytes.TrimSpace(line)) == 0 {
		return
	}
	if len(line) > outputBytes || line[len(line)-1] != '\n' {
		line = append(line[:min(len(line), outputBytes):outputBytes], "…\n"...)
	}
	_, _ = c.output.Write(line) // there is nobody to tell
}
