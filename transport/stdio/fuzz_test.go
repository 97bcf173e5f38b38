package stdio_test

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/stdio"
)

// FuzzReadFrame reads any bytes twice, all at once and in pieces: the same comes out, each message is one whole line, and
// nothing of it went to Output.
func FuzzReadFrame(f *testing.F) {
	for _, seed := range []string{
		"hello\n{\"t\":\"q\"}\n\n{\"id\":\"1\",\"type\":\"request\",\"version\":\"json\"}\nbye",
		"{\"json\":{\"t\":\"r\"}}\r\n { \"v\": [\n", "{\"t\":\"q\",\"v\":\"\xff\xfe\"}\n", "\n\n\n", "{" + strings.Repeat("[", 300),
	} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, data []byte, step int) {
		read := func(step int) (msgs []string, output string, err error) {
			var out bytes.Buffer
			tr := stdio.New(&stepReader{data: data, step: step}, io.Discard, &stdio.Options{
				Output: &out, RPC: kkrpc.Options{Limits: kkrpc.Limits{Frame: 1 << 20}},
			})
			defer tr.Close(1000, "")
			msgs, _, err = readAll(tr)
			return msgs, out.String(), err
		}
		whole, output, err := read(max(len(data), 1))
		pieces, output2, err2 := read(1 + (step&0xffff)%64)
		if err != io.EOF || err2 != io.EOF || !slices.Equal(whole, pieces) || output != output2 {
			t.Fatalf("at once %q, %q, %v; in pieces %q, %q, %v", whole, output, err, pieces, output2, err2)
		}
		rest := data
		for _, m := range whole {
			text := strings.TrimSuffix(m, "\n")
			at := bytes.Index(rest, []byte(text))
			if at < 0 || strings.Contains(text, "\n") || !strings.HasPrefix(strings.TrimSpace(text), "{") {
				t.Fatalf("message %q is no line of the input", m)
			}
			rest = rest[at+len(text):]
		}
	})
}
