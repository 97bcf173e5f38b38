//go:build !js

package ws

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws/wsflate"

	"github.com/kkrpc-go/kkrpc/internal/budget"
)

// minDeflate is the smallest message that is compressed: below, it would hardly shrink.
const minDeflate = 512

var errTooLarge = errors.New("inflated message is too large")

// Neither side keeps a compression context between messages, so compressors are pooled, not held by connections.
var (
	deflaters = sync.Pool{New: func() any {
		w, _ := flate.NewWriter(nil, flate.BestSpeed)
		return w
	}}
	inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}
	deflated  = sync.Pool{New: func() any { return new(bytes.Buffer) }}
)

// deflateParams is what both sides of the negotiation insist on.
var deflateParams = wsflate.Parameters{ServerNoContextTakeover: true, ClientNoContextTakeover: true}

// tail is the empty block that a sender strips from each message (RFC 7692, section 7.2.1); the final block after it
// makes the reader end.
const (
	tail      = "\x00\x00\xff\xff"
	finalTail = tail + "\x01\x00\x00\xff\xff"
)

// negotiateDeflate accepts the first offer of permessage-deflate that this side can keep. An offer that it cannot
// keep, such as a smaller window, is declined, not an error.
func negotiateDeflate() func(httphead.Option) (httphead.Option, error) {
	ext := wsflate.Extension{Parameters: deflateParams}
	return func(offer httphead.Option) (httphead.Option, error) {
		if !wellFormed(offer) {
			return httphead.Option{}, nil
		}
		accepted, err := ext.Negotiate(offer)
		if err != nil {
			return httphead.Option{}, nil
		}
		return accepted, nil
	}
}

// wellFormed refuses what wsflate lets pass, though RFC 7692 forbids it in section 7.1: a parameter that comes twice, and a
// window whose number begins with a zero.
func wellFormed(o httphead.Option) bool {
	var names []string
	ok := true
	o.Parameters.ForEach(func(name, value []byte) bool {
		ok = !slices.Contains(names, string(name)) && !bytes.HasPrefix(value, []byte("0"))
		names = append(names, string(name))
		return ok
	})
	return ok
}

// deflate compresses p as one message; the caller hands the result to putDeflated.
func deflate(p []byte) *bytes.Buffer {
	out := deflated.Get().(*bytes.Buffer)
	out.Reset()
	w := deflaters.Get().(*flate.Writer)
	w.Reset(out)
	_, _ = w.Write(p) // a bytes.Buffer does not fail
	_ = w.Flush()
	deflaters.Put(w)
	out.Truncate(out.Len() - len(tail))
	return out
}

func putDeflated(b *bytes.Buffer) {
	if b.Cap() <= hugeBuffer {
		deflated.Put(b)
	}
}

// message source of inflate: p, then the tail.
type tailed struct {
	p    []byte
	tail string
}

func (t *tailed) Read(b []byte) (int, error) {
	n := copy(b, t.p)
	t.p = t.p[n:]
	if n == 0 {
		n = copy(b, t.tail)
		t.tail = t.tail[n:]
	}
	if n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (t *tailed) ReadByte() (byte, error) {
	var b [1]byte
	_, err := t.Read(b[:])
	return b[0], err
}

// inflate decompresses one message into a buffer of getBuffer. It holds at most limit+1 bytes. It takes a turn once the text
// is large, compressed or not.
func inflate(p []byte, limit int, turn func(n int) (end func())) ([]byte, error) {
	end := turn(len(p))
	defer func() { end() }()
	large := len(p) >= budget.Large
	r := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(r)
	if err := r.(flate.Resetter).Reset(&tailed{p, finalTail}, nil); err != nil {
		return nil, err
	}
	out := getBuffer(min(4*len(p), limit+1))[:0]
	for {
		if len(out) == cap(out) {
			if !large && len(out) >= budget.Large { // a short message may have much in it
				large, end = true, turn(len(out))
			}
			out = grown(out, max(2*cap(out), smallBuffer))
		}
		n, err := r.Read(out[len(out):min(cap(out), limit+1)])
		out = out[:len(out)+n]
		switch {
		case len(out) > limit:
			putBuffer(out)
			return nil, errTooLarge
		case err == io.EOF:
			return out, nil
		case err != nil:
			putBuffer(out)
			return nil, err
		}
	}
}
