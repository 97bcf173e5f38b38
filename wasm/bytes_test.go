package wasm

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/kkrpc-go/kkrpc"
)

// binaryGreet is the call of echo with the bytes 1, 2 and 255 in a binary frame, as docs/protocol.md has it.
const binaryGreet = "\xb1\x00\x00\x00\x01\x00\x00\x00F\x00\x00\x00\x00\x00\x00\x00AAAAAAAAAAAAAAAA\x03\x00\x00\x00\x00\x00\x00\x00" +
	`{"t":"q","id":"1","op":"call","p":["echo"],"a":["AAAAAAAAAAAAAAAA0"]} ` + "\x00\x00\x01\x02\xff"

// TestBinaryFrames arrive before the request is read, which says whether they may come.
func TestBinaryFrames(t *testing.T) {
	const agreed = `{"url":"http://example.com/ws?kkrpc=compact-json,bytes.1","params":{},"header":{}}`
	synctest.Test(t, func(t *testing.T) {
		s := start(func(*Request) (any, error) {
			return kkrpc.Object{"echo": func(b []byte) []byte { return b }}, nil
		}, nil)
		for id, about := range map[int32]string{1: agreed, 2: "", 3: agreed} {
			s.connect(id, about)
			s.message(id, []byte(binaryGreet), false)
		}
		if got := s.answers(1); len(got) != 1 || !strings.HasPrefix(got[0], "\xb1") || !strings.HasSuffix(got[0], "\x01\x02\xff") {
			t.Errorf("answered %q, want a frame", got)
		}
		if code, reason := s.host.closedWith(2); code != closeInvalidData || len(s.answers(2)) != 0 {
			t.Errorf("without agreement: closed with %d %q, answered %q", code, reason, s.answers(2))
		}
		s.message(3, []byte("{\xff"), false) // no frame, and no text
		if code, _ := s.host.closedWith(3); code != closeInvalidData {
			t.Errorf("bytes that are neither: closed with %d", code)
		}
		s.hangUp(1, closeNormal)
		synctest.Wait()
	})
}
