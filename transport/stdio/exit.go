package stdio

import (
	"bytes"
	"io"
	"os"
	"sync"
)

// ExitError reports how a child ended. Wait returns it. If the child ended by itself, the channel's Err and the errors
// of pending calls wrap it, also with status 0.
type ExitError struct {
	State  *os.ProcessState // of a process that has ended
	Stderr []byte           // the end of what it wrote to standard error; nil without Options.StderrTail
}

func (e *ExitError) Error() string {
	text := "stdio: the child ended: " + e.State.String()
	if said := bytes.TrimSpace(e.Stderr); len(said) > 0 {
		text += "; its last words: " + string(said)
	}
	return text
}

// tail keeps the last bytes that are written through it.
type tail struct {
	w     io.Writer
	limit int

	mu   sync.Mutex
	kept []byte // at most 2*limit
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	last := p[max(len(p)-t.limit, 0):]
	if len(t.kept)+len(last) > 2*t.limit {
		t.kept = append(t.kept[:0], t.kept[len(t.kept)-min(len(t.kept), t.limit):]...)
	}
	t.kept = append(t.kept, last...)
	t.mu.Unlock()
	_, _ = t.w.Write(p) // a writer that fails must not keep the child from writing on
	return len(p), nil
}

func (t *tail) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.kept[max(len(t.kept)-t.limit, 0):])
}
