package main

import (
	"bytes"
	"fmt"
	"io"
)

// burst is how many requests arrive together.
const burst = 16

// feed is a transport that brings the same request again and again, in bursts, and drops the answers.
type feed struct {
	request          []byte
	left, unanswered int
	want             string // part of the first answer
	err              error
	done             chan struct{} // closed after the last answer
}

func (f *feed) ReadFrame(buf []byte) (msg []byte, more bool, err error) {
	if f.left == 0 {
		<-f.done
		return nil, false, io.EOF
	}
	f.left--
	return append(buf[:0], f.request...), f.left%burst != 0, nil
}

func (f *feed) TryWriteFrames(msgs [][]byte) (bool, error) { return true, f.WriteFrames(msgs) }

func (f *feed) WriteFrames(msgs [][]byte) error {
	if f.want != "" && !bytes.Contains(msgs[0], []byte(f.want)) {
		f.err = fmt.Errorf("the answer is %.500s", msgs[0])
	}
	f.want = ""
	if f.unanswered -= len(msgs); f.unanswered == 0 {
		close(f.done)
	}
	return nil
}

func (f *feed) Close(int, string) error { return nil }

// answering is a transport whose peer answers each request of kkrpc 2 with 7.
type answering struct {
	answers chan []byte
	closed  chan struct{}
	answer  []byte
}

func (p *answering) ReadFrame(buf []byte) (msg []byte, more bool, err error) {
	select {
	case answer := <-p.answers:
		return append(buf[:0], answer...), false, nil
	case <-p.closed:
		return nil, false, io.EOF
	}
}

func (p *answering) TryWriteFrames(msgs [][]byte) (bool, error) { return true, p.WriteFrames(msgs) }

func (p *answering) WriteFrames(msgs [][]byte) error {
	id := msgs[0][len(`{"t":"q","id":"`):]
	p.answer = append(p.answer[:0], `{"t":"r","id":"`...)
	p.answer = append(p.answer, id[:bytes.IndexByte(id, '"')+1]...)
	p.answer = append(p.answer, `,"v":7}`...)
	p.answers <- p.answer
	return nil
}

func (p *answering) Close(int, string) error {
	close(p.closed)
	return nil
}
