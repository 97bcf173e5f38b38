package durable

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kkrpc-go/kkrpc/internal/hibernate"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/wasm/internal/owner"
)

// Keep has the call that is handled with ctx run again whenever the object wakes, until the connection closes. A function that
// joins a room keeps its call, so that the members of the room are there again:
//
//	func join(ctx context.Context, name string, onMessage func(Message)) error {
//		if err := durable.Keep(ctx, "join"); err != nil {
//			return err
//		}
//		members.add(kkrpc.FromContext(ctx), name, onMessage)
//		if !durable.Waking(ctx) {
//			announce(name + " has joined")
//		}
//		return nil
//	}
//
// name stands for the call on its connection: a later call that is kept with the same name takes its place, and Drop removes
// it. The call is kept when its function has returned nil as its error, or has none.
//
// Kept calls run again one after another, in the order in which they were kept, on all connections. One that takes more than a
// second no longer holds up those of other connections. Requests and alarms wait for all. The peer gets no answer again. Callbacks among the arguments work, and references in the first result
// are those in the result now. The function has to call Keep again. If it does not, the call is dropped. If it fails, or
// those of a connection take more than 10 s, the connection is closed with code 1012. The peer then connects again and sees why.
//
// The error says that the call does not fit into what a connection can keep. That are 16,384 bytes for the request, its
// variables and all kept calls. Then the call goes on and nothing that was kept is lost. Where connections do not
// hibernate, Keep does nothing.
func Keep(ctx context.Context, name string) error {
	c := here.connection(ctx)
	if c == nil {
		return nil
	}
	r, _ := ctx.Value(hibernate.CallKey{}).(*running)
	if r == nil {
		return keepFailed(name, errors.New("the context is of no call"))
	}
	o := c.object
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case r.over:
		return keepFailed(name, errors.New("the call has ended"))
	case r.size > maxKept:
		return keepFailed(name, fmt.Errorf("the call has %d bytes, and a connection keeps %d", r.size, maxKept))
	case r.message == nil:
		return keepFailed(name, errors.New("the peer has sent the call together with others"))
	case r.kept != nil && r.kept.Name != name:
		return keepFailed(name, fmt.Errorf("the call is kept as %q already", r.kept.Name))
	}
	k := &keptCall{Name: name}
	if r.message[0] == wire.BinaryFrame {
		k.Binary = r.message
	} else {
		k.Message = string(r.message)
	}
	if r.repeats != nil {
		k.Serial, k.Issued = r.repeats.Serial, r.repeats.Issued
	} else {
		o.serial++
		k.Serial = o.serial
	}
	if r.repeats == nil || r.repeats.Name != name { // else it is kept as it was
		if over := c.excess(r, k); over > 0 {
			return keepFailed(name, fmt.Errorf("the call has %d bytes, which are %d more than the connection can still keep", len(r.message), over))
		}
	}
	r.kept = k // which takes the place of the other when the function has returned
	return nil
}

// excess is by how many bytes a call that r keeps is too large, beside the others and those that may still succeed. Object.mu
// is held.
func (c *connection) excess(r *running, k *keptCall) (over int) {
	all := slices.DeleteFunc(slices.Clone(c.kept), func(other *keptCall) bool { return other.Name == k.Name })
	for _, other := range c.calls {
		if other != r && other.kept != nil && other.kept.Name != k.Name {
			all = append(all, other.kept)
		}
	}
	known := hibernate.Work{Dialect: c.before.Work.Dialect, Prefix: c.before.Work.Prefix} // the reserve is for the rest
	return c.object.host.save(c.id, state(known, append(all, k)), reserve)
}

func keepFailed(name string, err error) error { return fmt.Errorf("durable: keep %q: %w", name, err) }

// maxKept is how many bytes a connection keeps.
const maxKept = 16_384

// reserve is how many bytes kept calls leave for the ids of what is open when the object falls asleep.
const reserve = 1 << 10

// Drop undoes Keep for the call with this name on the connection of ctx, for example because the peer has left. ctx is that
// of any function or callback of the connection, or wasm.Request.Context.
func Drop(ctx context.Context, name string) {
	c := here.connection(ctx)
	if c == nil {
		return
	}
	c.object.mu.Lock()
	defer c.object.mu.Unlock()
	c.kept = slices.DeleteFunc(slices.Clone(c.kept), func(k *keptCall) bool { return k.Name == name })
	for _, r := range c.calls {
		if r.kept != nil && r.kept.Name == name {
			r.kept.dropped = true
		}
	}
	c.touch()
}

// Waking reports whether the function that is handled with ctx runs because the object wakes. That is a repeated call.
// For wasm.Request.Context it is a connection from before, in the function of wasm.ServeFor and in OnOpen.
func Waking(ctx context.Context) bool {
	c := here.connection(ctx)
	if c == nil {
		return false
	}
	if r, ok := ctx.Value(hibernate.CallKey{}).(*running); ok && r != nil {
		return r.repeats != nil
	}
	c.object.mu.Lock()
	defer c.object.mu.Unlock()
	return c.restored && !c.settled
}

// connection returns the connection of ctx, nil if it does not hibernate.
func (o *object) connection(ctx context.Context) *connection {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.conns[owner.ID(ctx)]
}

// keptCall is a call that runs again.
type keptCall struct {
	Name    string   `json:"n"`
	Message string   `json:"m,omitempty"` // as the peer has sent it
	Binary  []byte   `json:"b,omitempty"` // likewise, a binary frame
	Serial  uint64   `json:"s"`
	Issued  []string `json:"r,omitempty"` // ids of the references in its result

	dropped bool // before its function has returned
}

// frame returns the frame that the peer has sent.
func (k *keptCall) frame() []byte {
	if k.Binary != nil {
		return k.Binary
	}
	return []byte(k.Message)
}

// running is a call whose function runs.
type running struct {
	message []byte    // of the peer; nil if it cannot be kept
	size    int       // of the frame
	repeats *keptCall // nil for a call of now
	kept    *keptCall // by Keep
	over    bool
}

// newRunning copies the frame if it may be kept. A frame can have many messages, each of which is a call.
func newRunning(frame []byte) *running {
	r := &running{size: len(frame)}
	if len(frame) <= maxKept && isWhole(frame) {
		r.message = bytes.Clone(frame)
	}
	return r
}

// isWhole reports whether a frame is one message and no more.
func isWhole(frame []byte) bool {
	text := frame
	if len(frame) > 0 && frame[0] == wire.BinaryFrame {
		var err error
		if text, _, err = wire.OpenBinary(frame); err != nil {
			return false
		}
	}
	return bytes.HasPrefix(text, []byte("{")) && !bytes.Contains(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
}
