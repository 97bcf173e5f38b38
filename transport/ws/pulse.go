//go:build !js

package ws

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// defaultPing is what a zero Options.Ping means.
const defaultPing = 30 * time.Second

// errNoPong is why a connection ends whose peer is silent.
var errNoPong = errors.New("ws: the peer did not answer a ping")

// heartbeat is the interval that an option stands for; 0 means none.
func heartbeat(option time.Duration) time.Duration {
	switch {
	case option < 0:
		return 0
	case option == 0:
		return defaultPing
	default:
		return option
	}
}

// pulseSlots is into how many groups the connections of one interval are divided, so that their pings are spread.
const pulseSlots = 16

// pulse is the heartbeat of all connections with one interval. Its timer runs while there are connections. Once per
// interval it looks at each: a silent connection gets a ping, and a connection that is silent since its last ping is dead.
type pulse struct {
	interval time.Duration

	mu    sync.Mutex
	slots [pulseSlots][]*conn
	next  int // slot for the next connection
	now   int // slot that is looked at next
	count int
	timer *time.Timer // nil while there are no connections
}

var pulses = struct {
	sync.Mutex
	m map[time.Duration]*pulse
}{m: map[time.Duration]*pulse{}}

// pulseOf returns the pulse of an interval. The intervals a program uses are few, so none is ever dropped.
func pulseOf(interval time.Duration) *pulse {
	pulses.Lock()
	defer pulses.Unlock()
	p := pulses.m[interval]
	if p == nil {
		p = &pulse{interval: interval}
		pulses.m[interval] = p
	}
	return p
}

func (p *pulse) add(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.slot, c.index = p.next, len(p.slots[p.next])
	p.slots[p.next] = append(p.slots[p.next], c)
	p.next = (p.next + 1) % pulseSlots
	p.count++
	if p.timer == nil {
		p.timer = time.AfterFunc(p.interval/pulseSlots, p.tick)
	}
}

// remove must be called once for each add.
func (p *pulse) remove(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.slots[c.slot]
	last := s[len(s)-1]
	s[c.index], last.index = last, c.index
	s[len(s)-1] = nil
	p.slots[c.slot] = s[:len(s)-1]
	p.count--
	if p.count == 0 && p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}

// tick looks at one slot. Neither a ping nor an abort blocks it.
func (p *pulse) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == 0 {
		return
	}
	slot := p.slots[p.now]
	p.now = (p.now + 1) % pulseSlots
	for _, c := range slot {
		switch life := c.life.Load(); {
		case life == lifeHeard, c.reader.Load() == readerIdle: // while nobody reads here, silence says nothing about the peer
			c.life.CompareAndSwap(life, lifeQuiet)
		case life == lifePinged:
			go c.abort(fmt.Errorf("%w within %v", errNoPong, p.interval))
		default:
			c.life.CompareAndSwap(lifeQuiet, lifePinged)
			c.sendPing()
		}
	}
	p.timer.Reset(p.interval / pulseSlots)
}
