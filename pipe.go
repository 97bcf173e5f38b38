package kkrpc

import (
	"errors"
	"io"
)

// Pipe returns two connected in-memory transports: what is written to one is read from the other. They serve tests,
// and programs whose both ends live in one process. Either end's Close ends both.
func Pipe() (a, b Transport) {
	x, y := NewInbox(1<<20), NewInbox(1<<20)
	return &pipeEnd{in: x, out: y}, &pipeEnd{in: y, out: x}
}

type pipeEnd struct{ in, out *Inbox }

func (p *pipeEnd) ReadFrame(buf []byte) ([]byte, bool, error) { return p.in.ReadFrame(buf) }

func (p *pipeEnd) WriteFrames(msgs [][]byte) error {
	for _, m := range msgs {
		for {
			full, err := p.out.push(m)
			if err == nil {
				break
			}
			if !errors.Is(err, ErrLimit) {
				return err
			}
			<-full
		}
	}
	return nil
}

func (p *pipeEnd) Close(int, string) error {
	p.out.Close(nil)
	p.in.Close(io.ErrClosedPipe)
	return nil
}
