package stdio_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/stdio"
	"github.com/kkrpc-go/kkrpc/transport/transporttest"
)

// end is one side of a connection.
type end struct {
	r io.ReadCloser
	w io.WriteCloser
}

func osPipes(t *testing.T) (a, b end) {
	t.Helper()
	pipe := func() (*os.File, *os.File) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = r.Close()
			_ = w.Close()
		})
		return r, w
	}
	ar, bw := pipe()
	br, aw := pipe()
	return end{ar, aw}, end{br, bw}
}

func ioPipes(*testing.T) (a, b end) {
	ar, bw := io.Pipe()
	br, aw := io.Pipe()
	return end{ar, aw}, end{br, bw}
}

// blocking hides that a file knows deadlines, as standard input and output do not.
type blocking struct{ io.ReadWriteCloser }

func blockingPipes(t *testing.T) (a, b end) {
	a, b = osPipes(t)
	for _, e := range []*end{&a, &b} {
		e.r, e.w = blocking{e.r.(*os.File)}, blocking{e.w.(*os.File)}
	}
	return a, b
}

func sockets(t *testing.T) (a, b end) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	x, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	y, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return end{x, halfCloser{x.(*net.TCPConn)}}, end{y, halfCloser{y.(*net.TCPConn)}}
}

// halfCloser is the writing half of a connection.
type halfCloser struct{ *net.TCPConn }

func (c halfCloser) Close() error { return c.CloseWrite() }

var carriers = []struct {
	name string
	pair func(t *testing.T) (a, b end)
}{
	{"pipes of the system", osPipes},
	{"pipes that know no deadline", blockingPipes},
	{"pipes in memory", ioPipes},
}

// enveloped makes messages of the suite those of a callback: what is no message passes through.
type enveloped struct{ kkrpc.Transport }

func (e enveloped) WriteFrames(msgs [][]byte) error {
	wrapped := make([][]byte, len(msgs))
	for i, m := range msgs {
		text, err := json.Marshal(string(m))
		if err != nil {
			return err
		}
		wrapped[i] = fmt.Appendf(nil, `{"t":"cb","id":%s,"a":[]}`, text)
	}
	err := e.Transport.WriteFrames(wrapped)
	for _, m := range wrapped {
		clear(m) // none may be kept
	}
	return err
}

func (e enveloped) ReadFrame(buf []byte) ([]byte, bool, error) {
	const envelope = 100 // bytes, and more
	wide := make([]byte, 1, cap(buf)+envelope)
	msg, more, err := e.Transport.ReadFrame(wide)
	if err != nil {
		return msg, more, err
	}
	if len(msg) <= cap(wide) && &msg[0] != &wide[0] {
		return nil, false, errors.New("the message is not in the buffer, though it fits")
	}
	var inner struct{ ID string }
	if err := json.Unmarshal(msg, &inner); err != nil {
		return nil, false, fmt.Errorf("the message is %.100q: %w", msg, err)
	}
	return append(buf[:0], inner.ID...), more, nil
}

func TestTransport(t *testing.T) {
	for _, carrier := range carriers {
		t.Run(carrier.name, func(t *testing.T) {
			t.Parallel() // they mostly wait for the peer to read on after a close
			transporttest.Run(t, func(t *testing.T) (a, b kkrpc.Transport) {
				x, y := carrier.pair(t)
				return enveloped{stdio.New(x.r, x.w, nil)}, enveloped{stdio.New(y.r, y.w, nil)}
			})
		})
	}
}

// lockedBuffer is an Output that may be looked at meanwhile.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// readAll reads until the first error. more has an entry for each message.
func readAll(tr kkrpc.Transport) (msgs []string, more []bool, err error) {
	for {
		msg, m, err := tr.ReadFrame(nil)
		if err != nil {
			return msgs, more, err
		}
		msgs, more = append(msgs, string(msg)), append(more, m)
	}
}

func TestReadFrame(t *testing.T) {
	const (
		compact  = `{"t":"r","id":"1","v":2}`
		compactS = `{"json":{"t":"r","id":"1","v":2}}`
		classic  = `{"id":"1","method":"","args":{"result":2},"type":"response","version":"json"}`
		classicS = `{"json":{"id":"1","method":"","args":{"result":2},"type":"response","version":"superjson"}}`
	)
	const looksLikeOne = `{"type":"request","method":"GET","url":"/","status":200}
{"type":"response","status":200}
{"type":"get","path":["cache"],"hit":true}
{"type":"stream-end","ms":7}
{"t":"cb","a":[],"msg":"x"}
{"type":"error","message":"no database"}
{"type":"log","id":"7","args":["x"]}
{"id":"7","type":"audit","user":"Ada"}
{"id":"7","method":"GET","args":[],"type":"http","version":"json"}
{"t":"q","msg":"quiet"}
{"t":"r","n":1}
{"t":"cb","id":7}
{"t":"q","id":"1","op":"open","p":["a"],"a":[]}
{"json":{"t":"q","msg":"x"},"meta":{}}
{"json":{"id":"7","type":"audit"}}
{"msg":"x","t":"sq"}
`
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	long := strings.Repeat("x", 100_000)
	tests := []struct {
		name, in   string
		msgs       []string
		output     string
		wantErr    error // io.EOF if nil
		frameLimit int
		dialect    kkrpc.Dialect
		pipes      bool
	}{
		{name: "each dialect", in: compact + "\n" + compactS + "\n" + classic + "\n" + classicS + "\n",
			msgs: []string{compact + "\n", compactS + "\n", classic + "\n", classicS + "\n"}},
		{name: "a message in another writer's order", in: `{ "id": "1", "v": 2, "t": "r" }` + "\n",
			msgs: []string{`{ "id": "1", "v": 2, "t": "r" }` + "\n"}},
		{name: "white space around a message", in: "  " + compact + " \r\n", msgs: []string{"  " + compact + " \r\n"}},
		{name: "text passes through, in whole lines", in: "hello\n" + compact + "\nwarning: {\n",
			msgs: []string{compact + "\n"}, output: "hello\nwarning: {\n"},
		{name: "printed objects pass through", in: "{ a: 1 }\n{\n  b: [Object]\n}\n{}\n" + compact + "\n",
			msgs: []string{compact + "\n"}, output: "{ a: 1 }\n{\n  b: [Object]\n}\n{}\n"},
		{name: "JSON log lines pass through", in: `{"level":"info","msg":"ready"}` + "\n" + `{"t":"2024-02-29","msg":"x"}` + "\n" +
			`{"id":"7","msg":"x"}` + "\n[1]\n\"t\"\n", output: `{"level":"info","msg":"ready"}` + "\n" +
			`{"t":"2024-02-29","msg":"x"}` + "\n" + `{"id":"7","msg":"x"}` + "\n[1]\n\"t\"\n"},
		{name: "log lines that look like messages pass through", in: looksLikeOne + compact + "\n", msgs: []string{compact + "\n"}, output: looksLikeOne},
		{name: "messages of the other generation pass through", dialect: kkrpc.Compact, in: classic + "\n" + compact + "\n" + classicS + "\n",
			msgs: []string{compact + "\n"}, output: classic + "\n" + classicS + "\n"},
		{name: "messages of the newer generation pass through", dialect: kkrpc.ClassicSuperJSON, in: classic + "\n" + compact + "\n" + classicS + "\n",
			msgs: []string{classic + "\n", classicS + "\n"}, output: compact + "\n"},
		{name: "bytes that are no text pass through", in: "{\"t\":\"r\",\"id\":\"\xff\"}\n" + compact + "\n", msgs: []string{compact + "\n"},
			output: "{\"t\":\"r\",\"id\":\"\xff\"}\n"},
		{name: "half a message passes through", in: `{"id":"1","method":"a` + "\n" + compact + "\n", msgs: []string{compact + "\n"},
			output: `{"id":"1","method":"a` + "\n"},
		{name: "blank lines are dropped", in: "\n \r\n" + compact + "\n\n\n", msgs: []string{compact + "\n"}},
		{name: "the last line needs no end", in: compact + "\n" + compact, msgs: []string{compact + "\n", compact + "\n"}},
		{name: "nor does text", in: "bye", output: "bye\n"},
		{name: "the destroy signal is a line like others", in: "__DESTROY__\n" + compact + "\n", msgs: []string{compact + "\n"}, output: "__DESTROY__\n"},
		{name: "too deep is for the channel to answer", in: `{"t":"q","op":"call","p":["f"],"a":[` + deep + `],"id":"1"}` + "\n",
			msgs: []string{`{"t":"q","op":"call","p":["f"],"a":[` + deep + `],"id":"1"}` + "\n"}},
		{name: "too deep, and nobody to answer", in: `{"x":` + deep + `,"t":"q"}` + "\n", output: `{"x":` + deep + `,"t":"q"}` + "\n"},
		{name: "long text is cut off", in: long + "\n" + compact + "\n" + long + long + "\nshort\n",
			msgs: []string{compact + "\n"}, output: long[:64<<10] + "…\n" + long[:64<<10] + "…\nshort\n"},
		{name: "long text without an end", in: long + long, output: long[:64<<10] + "…\n"},
		{name: "a long object that is no message is cut off too", in: `{"level":"` + long + "\"}\n" + compact + "\n",
			msgs: []string{compact + "\n"}, output: `{"level":"` + long[:64<<10-10] + "…\n"},
		{name: "a long message arrives", in: `{"t":"r","id":"1","v":"` + long + "\"}\n", msgs: []string{`{"t":"r","id":"1","v":"` + long + "\"}\n"}},
		{name: "a message over the limit ends the connection", in: compact + "\n" + `{"t":"r","id":"1","v":"` + long + "\"}\n",
			msgs: []string{compact + "\n"}, frameLimit: 90_000, wantErr: kkrpc.ErrLimit},
		{name: "text over the limit does not", in: long + "\n" + compact + "\n", msgs: []string{compact + "\n"}, frameLimit: 70_000,
			output: long[:64<<10] + "…\n"},
		{name: "with Pipes each line is for the channel", pipes: true, in: "hello\n" + compact + "\n\n \r\n" + looksLikeOne,
			msgs: append([]string{"hello\n", compact + "\n"}, slices.Collect(strings.Lines(looksLikeOne))...)},
		{name: "with Pipes a long line arrives whole", pipes: true, in: long + "\n", msgs: []string{long + "\n"}},
		{name: "with Pipes any line over the limit ends the connection", pipes: true, in: compact + "\n" + long + "\n",
			msgs: []string{compact + "\n"}, frameLimit: 70_000, wantErr: kkrpc.ErrLimit},
	}
	for _, tt := range tests {
		for _, step := range []int{1 << 20, 1000, 7} {
			if step == 7 && len(tt.in) > 1000 {
				continue
			}
			t.Run(fmt.Sprintf("%s, %d bytes at a time", tt.name, step), func(t *testing.T) {
				var output bytes.Buffer
				r := &stepReader{data: []byte(tt.in), step: step}
				tr := stdio.New(r, io.Discard, &stdio.Options{Output: &output, Pipes: tt.pipes, RPC: kkrpc.Options{
					Dialect: tt.dialect, Limits: kkrpc.Limits{Frame: tt.frameLimit},
				}})
				defer tr.Close(1000, "")
				msgs, more, err := readAll(tr)
				want := tt.wantErr
				if want == nil {
					want = io.EOF
				}
				if !errors.Is(err, want) {
					t.Errorf("ended with %v, want %v", err, want)
				}
				if !slices.Equal(msgs, tt.msgs) {
					t.Errorf("messages %.300q, want %.300q", msgs, tt.msgs)
				}
				if got := output.String(); got != tt.output {
					t.Errorf("output of %d bytes %.300q, want %d bytes %.300q", len(got), got, len(tt.output), tt.output)
				}
				if n := len(more); n > 0 && more[n-1] && tt.wantErr == nil && !strings.HasSuffix(tt.in, "}") {
					t.Error("more after the last message")
				}
			})
		}
	}
}

// stepReader gives out step bytes a read.
type stepReader struct {
	data []byte
	step int
}

func (r *stepReader) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.step)], r.data)
	r.data = r.data[n:]
	return n, nil
}

func TestMoreLooksPastOtherLines(t *testing.T) {
	a, b := osPipes(t)
	tr := stdio.New(a.r, a.w, &stdio.Options{Output: io.Discard})
	defer tr.Close(1000, "")
	if _, err := io.WriteString(b.w, `{"t":"r","id":"1"}`+"\ntext\n"+`{"t":"r","id":"2"}`+"\ntext\n"); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false} {
		if _, more, err := tr.ReadFrame(nil); more != want || err != nil {
			t.Errorf("message %d: more %v, %v", i, more, err)
		}
	}
}

func TestWriteFrames(t *testing.T) {
	tests := []struct{ name, msg, want string }{
		{"compact gets a newline", `{"t":"r","v":"ü"}`, `{"t":"r","v":"ü"}` + "\n"},
		{"white space of a raw value keeps to the line", "{\"t\":\"r\",\"v\":{\r\n\t\"a\": 1\n}}", "{\"t\":\"r\",\"v\":{\r \t\"a\": 1 }}\n"},
		{"classic has one", `{"type":"response"}` + "\n", `{"type":"response"}` + "\n"},
		{"classic is ASCII", `{"a":"aü€😀\ud800` + "\xff" + `"}` + "\n", `{"a":"a\u00fc\u20ac\ud83d\ude00\ud800\ufffd"}` + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var written lockedBuffer
			tr := stdio.New(strings.NewReader(""), &written, nil)
			defer tr.Close(1000, "")
			if err := tr.WriteFrames([][]byte{[]byte(tt.msg), []byte(tt.msg)}); err != nil {
				t.Fatal(err)
			}
			if got := written.String(); got != tt.want+tt.want {
				t.Errorf("wrote %q, want %q twice", got, tt.want)
			}
		})
	}
}

func TestPeerThatDoesNotRead(t *testing.T) {
	const limit = 50 * time.Millisecond
	for _, carrier := range carriers {
		t.Run(carrier.name, func(t *testing.T) {
			a, b := carrier.pair(t)
			tr := stdio.New(a.r, a.w, &stdio.Options{RPC: kkrpc.Options{Limits: kkrpc.Limits{Write: limit}}})
			defer b.r.Close()
			defer b.w.Close()
			defer tr.Close(1000, "")
			large := bytes.Repeat([]byte("x"), 1<<20)
			err := tr.WriteFrames([][]byte{large})
			if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "took no data for 50ms") {
				t.Errorf("got %v", err)
			}
			if err2 := tr.WriteFrames([][]byte{[]byte("x")}); err2 == nil {
				t.Error("a line that was cut off can be followed by another")
			}
		})
	}
}

// A connection in both directions at once is closed by halves.
func TestOverSockets(t *testing.T) {
	a, b := sockets(t)
	x, err := kkrpc.New(t.Context(), stdio.New(a.r, a.w, nil), &kkrpc.Options{Dialect: kkrpc.Compact})
	if err != nil {
		t.Fatal(err)
	}
	y, err := kkrpc.New(t.Context(), stdio.New(b.r, b.w, nil), &kkrpc.Options{Expose: kkrpc.Object{"double": func(n int) int { return 2 * n }}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := kkrpc.Call[int](t.Context(), x, "double", 21); got != 42 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	_ = x.Close()
	<-y.Done()
}
