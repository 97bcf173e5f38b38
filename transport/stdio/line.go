package stdio

import (
	"bytes"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// detectDepth is the depth to which a line is examined. Deeper values are skipped here and refused by the channel.
const detectDepth = 64

// isMessage reports whether a line is a message of either generation. A line that begins like those of all known
// writers is not examined further. The channel drops it if it is wrong. Any other object may be a log line.
func isMessage(line []byte) bool {
	line = bytes.TrimSpace(line)
	switch {
	case !mayBeMessage(line):
		return false
	case compactStart(line), bytes.HasPrefix(line, []byte(`{"json":{"t":"`)), bytes.HasPrefix(line, []byte(`{"json":{"id":"`)):
		return true
	case bytes.HasPrefix(line, []byte(`{"id":"`)) && bytes.HasSuffix(line, []byte(`,"version":"json"}`)):
		return true
	}
	d, _, _ := wire.Detect(line, detectDepth)
	return d != wire.Unknown
}

// mayBeMessage reports whether a line that begins like this can be a message.
func mayBeMessage(line []byte) bool {
	line = bytes.TrimLeft(line, " \t\r\n")
	return len(line) > 0 && line[0] == '{'
}

// compactStart reports whether line begins with {"t":"q" or another of the short kinds of compact messages.
func compactStart(line []byte) bool {
	kind, ok := bytes.CutPrefix(line, []byte(`{"t":"`))
	if !ok {
		return false
	}
	end := bytes.IndexByte(kind[:min(len(kind), 4)], '"')
	return end > 0
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
