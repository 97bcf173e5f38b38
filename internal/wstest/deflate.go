package wstest

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"strings"
)

// window is how far back compress/flate may look.
const window = 32 << 10

// compression is one direction of permessage-deflate.
type compression struct {
	fresh bool // no context takeover
	bits  int  // of the window; 0 means 15

	w   *flate.Writer
	out bytes.Buffer
	r   io.ReadCloser
	old []byte // the last that was inflated, up to window
}

// deflate returns the payload of a compressed message.
func (c *compression) deflate(p []byte) []byte {
	c.out.Reset()
	small := c.bits > 0 && c.bits < 15
	step := len(p)
	if small {
		step = 1 << c.bits // compress/flate knows no smaller window, so it forgets what would be outside of it
	}
	for first := true; first || len(p) > 0; first = false {
		n := min(step, len(p))
		switch {
		case c.w == nil:
			level := flate.DefaultCompression
			if small {
				level = flate.BestSpeed // which is quick to forget
			}
			c.w, _ = flate.NewWriter(&c.out, level)
		case c.fresh || small:
			c.w.Reset(&c.out)
		}
		_, _ = c.w.Write(p[:n]) // a bytes.Buffer does not fail
		_ = c.w.Flush()
		p = p[n:]
	}
	return bytes.Clone(bytes.TrimSuffix(c.out.Bytes(), []byte("\x00\x00\xff\xff")))
}

// inflate returns the message of a compressed payload.
func (c *compression) inflate(p []byte) ([]byte, error) {
	src := io.MultiReader(bytes.NewReader(p), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))
	if c.r == nil {
		c.r = flate.NewReader(src)
	} else if err := c.r.(flate.Resetter).Reset(src, c.old); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if _, err := io.Copy(&out, c.r); err != nil {
		return nil, errors.New("a compressed message that is corrupt")
	}
	if !c.fresh {
		c.old = append(c.old, out.Bytes()...)
		c.old = bytes.Clone(c.old[max(0, len(c.old)-window):])
	}
	return out.Bytes(), nil
}
