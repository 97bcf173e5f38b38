package durable

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// host is the JavaScript side, npm/workers/durable.mjs. It never calls back before its functions have returned.
type host interface {
	// ask starts an operation of the storage. object.answered follows with the token. ok is false outside of an object.
	ask(token int32, operation string, blob []byte, most int) (ok bool)
	// save keeps the state of a connection, and returns by how many bytes it is too large. Then nothing changes. With a
	// reserve of more than 0 bytes it only tells whether the state would fit with so many more.
	save(id int32, state string, reserve int) (over int)
	// rested tells that all goroutines wait. The object is to stay awake for so long if nothing happens; 0 means that it may sleep.
	rested(awake time.Duration)
	// alarmed ends the alarm with the token; failure is "" for success.
	alarmed(token int32, failure string)
	// broken closes a connection whose state cannot be read.
	broken(id int32)
}

// object is the Durable Object of this program.
type object struct {
	host       host // nil outside of a JavaScript server
	configured bool
	opts       Options

	touched touched

	mu      sync.Mutex // guards what follows, and the fields of connections; taken before the locks of channels
	last    int32      // token
	asked   map[int32]chan<- []byte
	conns   map[int32]*connection
	busy    map[*connection]struct{} // those with work that cannot be kept, when rest has looked
	serial  uint64                   // of the call that was kept last
	waking  int                      // connections from before that have not been opened yet
	changed chan struct{}            // closed, and replaced, when something changes that is waited for
	awake   chan struct{}            // closed when what was kept is there again; nil if nothing was
}

// touched are the connections of which something may have changed since rest has looked.
type touched struct {
	mu   sync.Mutex // a leaf
	list []*connection
}

func (t *touched) take() (list []*connection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	list, t.list = t.list, nil
	return list
}

var here = newObject(nil)

func newObject(h host) *object {
	return &object{host: h, asked: map[int32]chan<- []byte{}, conns: map[int32]*connection{}, busy: map[*connection]struct{}{}, changed: make(chan struct{})}
}

// errNoObject is the error of the storage elsewhere.
var errNoObject = errors.New("this program is in no Durable Object: the object's class has to extend GoDurableObject of index.mjs")

// do has the host do an operation of the storage, with blob among its arguments.
func (o *object) do(ctx context.Context, blob []byte, operation ...any) (entries []entry, err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	tx, err := transactionOf(ctx)
	if err != nil {
		return nil, err
	}
	text, err := superjson.NewEncoder(superjson.ModeJSON).Append(nil, "", append([]any{tx}, operation...))
	if err != nil {
		return nil, err
	}
	answers := make(chan []byte, 1)
	o.mu.Lock()
	o.last = max(o.last+1, 1)
	token := o.last
	o.asked[token] = answers
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		delete(o.asked, token)
		o.mu.Unlock()
	}()
	if o.host == nil || !o.host.ask(token, string(text), blob, o.opts.maxValue()) {
		return nil, errNoObject
	}
	select {
	case answer := <-answers:
		return readAnswer(answer)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// answered takes the answer to what was asked with the token.
func (o *object) answered(token int32, answer []byte) {
	o.mu.Lock()
	answers := o.asked[token]
	o.mu.Unlock()
	if answers != nil {
		answers <- answer
	}
}

// entry is a value in an answer.
type entry struct {
	key   string
	bytes bool // data is a value of bytes, and no JSON
	data  []byte
}

// readAnswer reads entries, or the reason of a failure behind a 1. An entry begins with the lengths of its key and value, each as four
// bytes in little endian. A 1 for bytes follows, then key and value.
func readAnswer(b []byte) (entries []entry, err error) {
	if len(b) > 0 && b[0] == 1 {
		return nil, errors.New(string(b[1:]))
	}
	const head = 9
	for b = b[1:]; len(b) >= head; {
		key, size := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		e := entry{bytes: b[8] == 1}
		b = b[head:]
		e.key, b = string(b[:key]), b[key:]
		e.data, b = b[:size:size], b[size:]
		entries = append(entries, e)
	}
	return entries, nil
}

// decode stores the value in v, a pointer.
func (e *entry) decode(v any) error {
	if p, ok := v.(*[]byte); ok && e.bytes {
		*p = e.data
		return nil
	}
	if e.bytes {
		return fmt.Errorf("it is %d bytes: want a []byte, not a %T", len(e.data), v)
	}
	return superjson.Decode(superjson.ModeJSON, e.data, nil, v)
}

// alarm runs OnAlarm when the connections are there again.
func (o *object) alarm(token int32, retries int) {
	o.mu.Lock()
	awake := o.awake
	o.mu.Unlock()
	if awake != nil {
		<-awake
	}
	failure := ""
	if err := o.runAlarm(retries); err != nil {
		failure = err.Error()
	}
	o.host.alarmed(token, failure)
}

func (o *object) runAlarm(retries int) (err error) {
	if o.opts.OnAlarm == nil {
		fmt.Fprintln(os.Stderr, "durable: an alarm was due, and Options.OnAlarm is not set")
		return nil
	}
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %v\n%s", value, debug.Stack())
		}
	}()
	return o.opts.OnAlarm(context.Background(), retries)
}
