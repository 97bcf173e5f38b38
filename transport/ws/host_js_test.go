package ws_test

import (
	"syscall/js"
	"testing"
)

// A host is a fake of what the JavaScript host has under globalThis.WebSocket, which tests play the events of.
type host struct {
	t       *testing.T
	sockets js.Value // those that were made
}

// newHost replaces globalThis.WebSocket until the test ends.
func newHost(t *testing.T) *host {
	t.Helper()
	global := js.Global()
	before := global.Get("WebSocket")
	t.Cleanup(func() { global.Set("WebSocket", before) })
	global.Get("Function").New(`
		const sockets = []
		globalThis.WebSocket = class {
			bufferedAmount = 0
			sent = []
			closes = []
			listeners = { open: new Set(), message: new Set(), error: new Set(), close: new Set() }
			constructor(url, protocols) {
				if (protocols.includes("a b")) throw new SyntaxError("The subprotocol 'a b' is invalid, " + url + " is not opened.")
				this.url = url
				sockets.push(this)
				setTimeout(() => new.target.made?.()) // who made it is to listen first
			}
			addEventListener(type, listener) { this.listeners[type].add(listener) }
			removeEventListener(type, listener) { this.listeners[type].delete(listener) }
			send(message) { this.sent.push(message) }
			close(code, reason) {
				if (code !== 1000 && (code < 3000 || code > 4999) || new TextEncoder().encode(reason).length > 123) throw new SyntaxError("close")
				this.closes.push(code + " " + reason)
			}
			fire(type, event) { for (const listener of this.listeners[type]) listener({ type, ...event }) }
			// heard is how many listeners there are that do something.
			heard() { return Object.values(this.listeners).flatMap((set) => [...set]).filter((f) => f !== Object).length }
		}
		globalThis.WebSocket.sockets = sockets
	`).Invoke()
	return &host{t, global.Get("WebSocket").Get("sockets")}
}

// onMade has f called, on a goroutine, with each socket that is made.
func (h *host) onMade(f func(s socket)) {
	made := js.FuncOf(func(js.Value, []js.Value) any {
		s := h.last()
		go f(s)
		return nil
	})
	fake := js.Global().Get("WebSocket")
	fake.Set("made", made)
	h.t.Cleanup(func() {
		fake.Delete("made") // a test may end before the host has called it
		made.Release()
	})
}

func (h *host) last() socket { return socket{h.sockets.Index(h.sockets.Length() - 1)} }

// socket is a WebSocket of the fake.
type socket struct{ js.Value }

// fire plays an event with what are its members.
func (s socket) fire(event string, members map[string]any) {
	if members == nil {
		members = map[string]any{}
	}
	s.Call("fire", event, members)
}

func (s socket) message(data any) { s.fire("message", map[string]any{"data": data}) }

// closes is what close was called with.
func (s socket) closes() string { return s.Get("closes").Call("join", "; ").String() }

// arrayBuffer is text as an ArrayBuffer, or a view of one with something before and after it.
func arrayBuffer(text string, view bool) js.Value {
	before := ""
	if view {
		before = "<<"
	}
	bytes := js.Global().Get("Uint8Array").New(2*len(before) + len(text))
	js.CopyBytesToJS(bytes, []byte(before+text+before))
	if view {
		return bytes.Call("subarray", len(before), len(before)+len(text))
	}
	return bytes.Get("buffer")
}
