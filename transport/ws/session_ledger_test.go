//go:build !js

package ws

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

var someID = strings.Repeat("aZ0-_", 9)[:sessionIDSize]

func TestControlFrames(t *testing.T) {
	tests := []struct {
		text string
		want controlFrame
	}{
		{"#open", controlFrame{kind: controlOpen}},
		{"#ping", controlFrame{kind: controlPing}},
		{"#ack 0", controlFrame{kind: controlAck}},
		{"#ack 9007199254740991", controlFrame{kind: controlAck, n: maxNumber}},
		{"#resumed 17", controlFrame{kind: controlResumed, n: 17}},
		{"#resume " + someID + " 3", controlFrame{kind: controlResume, id: someID, n: 3}},
		{"#session " + someID + " 30000 1048576", controlFrame{kind: controlSession, id: someID, keep: 30000, buffer: 1 << 20}},
		{"#refused unknown there is none", controlFrame{kind: controlRefused, reason: "unknown", text: "there is none"}},
		{"#refused behind ", controlFrame{kind: controlRefused, reason: "behind"}},
	}
	for _, test := range tests {
		f, err := parseControl([]byte(test.text))
		if err != nil || f != test.want {
			t.Errorf("%q is %+v, %v", test.text, f, err)
		}
		if got := string(test.want.append(nil)); got != test.text {
			t.Errorf("%+v is written as %q", test.want, got)
		}
	}
	for _, text := range []string{
		"", "#", "open", "#open ", "#open x", "#OPEN", "#ping 1", "#pong", "#ack", "#ack ", "#ack  1", "#ack 1 ", "#ack -1", "#ack +1",
		"#ack 01", "#ack 1.0", "#ack 1e3", "#ack 9007199254740992", "#ack 99999999999999999999", "#ack\t1", "#ack ١",
		"#resumed", "#resumed x", "#resume 1", "#resume " + someID, "#resume " + someID[1:] + " 1", "#resume " + someID + "a 1",
		"#resume " + someID[1:] + "= 1", "#resume " + someID + " 1 2", "#session " + someID + " 1", "#session " + someID + " 1 2 3",
		"#session  1 2", "#refused", "#refused unknown", "#refused  text", "#refused x " + strings.Repeat("y", maxControl),
	} {
		if f, err := parseControl([]byte(text)); err == nil {
			t.Errorf("%q is taken for %+v", text, f)
		}
	}
}

func FuzzControlFrame(f *testing.F) {
	for _, seed := range []string{"#open", "#ping", "#ack 12", "#resumed 0", "#resume " + someID + " 3", "#session " + someID + " 1 2", "#refused unknown x y"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		frame, err := parseControl(p)
		if err != nil {
			return
		}
		if again := frame.append(nil); !bytes.Equal(again, p) {
			t.Errorf("%q is written as %q", p, again)
		}
		if frame.n > maxNumber || frame.keep > maxNumber || frame.buffer > maxNumber {
			t.Errorf("%q has a number that is too large", p)
		}
		if frame.kind == controlAck && len(p) > maxAck {
			t.Errorf("%q is longer than maxAck", p)
		}
	})
}

// What an acknowledgement may say.
func TestLedgerAcknowledgements(t *testing.T) {
	g := &ledger{bound: 1 << 20}
	for range 5 {
		g.keep([]byte("{}"))
	}
	for _, step := range []struct {
		n  uint64
		ok bool
	}{{0, true}, {6, false}, {3, true}, {2, false}, {3, true}, {5, true}, {4, false}} {
		if err := g.acknowledge(step.n); (err == nil) != step.ok {
			t.Errorf("acknowledging %d of 5: %v", step.n, err)
		}
	}
	if g.log != nil {
		t.Error("memory is held for nothing")
	}
}

// The bound holds any number of messages, or one that is larger.
func TestLedgerBound(t *testing.T) {
	g := &ledger{bound: 100}
	if !g.fits(1000) {
		t.Error("a large message has no room alone")
	}
	g.keep(make([]byte, 92))
	if g.fits(1) || !g.fits(0) {
		t.Error("the bound does not count what keeping costs")
	}
	if err := g.acknowledge(1); err != nil || !g.fits(1000) {
		t.Error("an acknowledgement makes no room", err)
	}
}

func TestLedgerAcknowledgesInTime(t *testing.T) {
	g := new(ledger)
	if got := g.appendAck(nil); got != nil {
		t.Errorf("%q for nothing", got)
	}
	for i := 1; i < ackMessages; i++ {
		if g.receive(10) {
			t.Errorf("due after %d messages", i)
		}
	}
	if !g.receive(10) || string(g.appendAck(nil)) != "#ack 64" || g.appendAck(nil) != nil {
		t.Error("not due, or not acknowledged once")
	}
	if g.receive(ackBytes-1) || !g.receive(1) {
		t.Error("bytes are not counted")
	}
	_ = g.appendAck(nil)
	g.owed = true
	if string(g.appendAck(nil)) != "#ack 66" || g.appendAck(nil) != nil {
		t.Error("a ping is not answered once")
	}
}

// Whatever is kept, acknowledged and lent in between, what is lent are the messages that are not acknowledged.
func TestLedgerKeepsMessages(t *testing.T) {
	const seed = 1
	rnd := rand.New(rand.NewPCG(seed, seed))
	g := &ledger{bound: 20_000}
	var kept [][]byte
	for i := range 20_000 {
		if m := fmt.Appendf(nil, "%d%s", i, strings.Repeat("x", rnd.IntN(300)*rnd.IntN(10))); g.fits(len(m)) {
			g.keep(m)
			kept = append(kept, m)
		}
		if rnd.IntN(3) == 0 {
			lent := g.lend()
			if len(lent) != len(kept) {
				t.Fatalf("%d messages of %d", len(lent), len(kept))
			}
			n := rnd.IntN(len(kept) + 1)
			if err := g.acknowledge(g.known + uint64(n)); err != nil {
				t.Fatal(err)
			}
			for j := range kept {
				if !bytes.Equal(lent[j], kept[j]) {
					t.Fatalf("message %d of %d is not what it was", j, i)
				}
			}
			kept = kept[n:]
			g.giveBack()
		}
		if limit := 8 * g.bound; cap(g.log) > limit {
			t.Fatalf("%d bytes for a bound of %d", cap(g.log), g.bound)
		}
	}
}
