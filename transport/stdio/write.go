package stdio

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// chunkBytes is how much is written within one timeout, so that it measures progress.
	chunkBytes = 64 << 10
	// keptBytes is how large a buffer is kept for the next write.
	keptBytes = 128 << 10
)

// WriteFrames implements kkrpc.Transport. If the peer reads nothing for the write timeout, WriteFrames fails with an
// error that wraps os.ErrDeadlineExceeded. A slow but steady reader does not fail it.
func (c *conn) WriteFrames(msgs [][]byte) error {
	if c.isClosed() {
		return errOwnClose
	}
	if c.werr != nil {
		return c.werr
	}
	c.out = c.out[:0]
	for _, m := range msgs {
		c.out = appendLine(c.out, m)
		if len(c.out) < chunkBytes {
			continue
		}
		if err := c.flush(); err != nil {
			return err
		}
	}
	return c.flush()
}

// flush writes what is in out.
func (c *conn) flush() error {
	for p := c.out; len(p) > 0; {
		n := min(len(p), chunkBytes)
		if err := c.sink.write(p[:n], c.timeout); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = fmt.Errorf("stdio: the peer took no data for %v: %w", c.timeout, os.ErrDeadlineExceeded)
			}
			c.out = nil // the sink may still read it
			c.werr = c.end(err)
			return c.werr
		}
		p = p[n:]
	}
	c.out = c.out[:0]
	if cap(c.out) > keptBytes {
		c.out = nil
	}
	return nil
}

// appendLine appends msg as one line.
func appendLine(b, msg []byte) []byte {
	text, classic := bytes.CutSuffix(msg, []byte{'\n'})
	at := len(b)
	if classic {
		b = appendASCII(b, text)
	} else {
		b = append(b, text...)
	}
	if line := b[at:]; bytes.IndexByte(line, '\n') >= 0 {
		for i, v := range line { // in JSON it is white space: strings escape it
			if v == '\n' {
				line[i] = ' '
			}
		}
	}
	return append(b, '\n')
}

// appendASCII appends JSON with all other characters escaped. Peers of the classic generation decode the bytes of each
// read by themselves. They would damage a character that is split between two reads.
func appendASCII(b, text []byte) []byte {
	for len(text) > 0 {
		n := 0
		for n < len(text) && text[n] < utf8.RuneSelf {
			n++
		}
		b = append(b, text[:n]...)
		if text = text[n:]; len(text) == 0 {
			break
		}
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		if r1, r2 := utf16.EncodeRune(r); r1 != utf8.RuneError {
			b = appendUnit(appendUnit(b, r1), r2)
		} else {
			b = appendUnit(b, r)
		}
	}
	return b
}

func appendUnit(b []byte, unit rune) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', digits[unit>>12&15], digits[unit>>8&15], digits[unit>>4&15], digits[unit&15])
}
