package rooms

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// nodes knows which nodes live. Each node publishes its name several times in Options.Ping. A node that was not heard of for
// that long is dead. It may live nevertheless, behind a network that is cut, and come back.
type nodes struct {
	hub  *core
	lone bool // the Backplane is that of one process: a node lives until it says goodbye

	fresh    chan struct{} // has one when a node was heard of that does not know of this one yet
	starting sync.Mutex    // held while the hub begins to listen
	started  bool          // guarded by starting

	mu        sync.Mutex // guards what follows
	heard     map[string]heard
	dead      map[string]time.Time // when nodes died, so that what they left behind is known as such
	presences map[*presence]struct{}
	looked    time.Time
	onDead    func(node string)
}

// heard is when a node was heard of, and its Options.Ping.
type heard struct {
	at   time.Time
	ping time.Duration
}

const (
	beatsPerPing = 4 // so that a few may be lost
	goodbye      = "-"
	alive        = "+"
	mourned      = time.Hour // how long the names of dead nodes are remembered
)

// start begins to listen to the other nodes, and to tell them of this one.
func (n *nodes) start() error {
	n.starting.Lock()
	defer n.starting.Unlock()
	if n.started {
		return nil
	}
	stop, err := n.hub.backplane.Subscribe(n.topic(), n.receive)
	if err != nil {
		return err
	}
	n.started = n.hub.do(func() {
		n.beat()
		stop()
	})
	if !n.started {
		stop()
		return ErrHubClosed
	}
	return nil
}

func (n *nodes) topic() string { return n.hub.topic("node", "all") }

// receive handles what another node says: that it lives, with its Options.Ping in milliseconds, or that it ends.
func (n *nodes) receive(data []byte) {
	said, node, _ := strings.Cut(string(data), " ")
	if node == n.hub.node {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if said == goodbye {
		n.diedLocked(node)
		return
	}
	if _, known := n.heard[node]; !known {
		select {
		case n.fresh <- struct{}{}:
		default:
		}
	}
	milliseconds, _ := strconv.ParseInt(strings.TrimPrefix(said, alive), 10, 64)
	n.heard[node] = heard{time.Now(), min(time.Duration(milliseconds)*time.Millisecond, time.Hour)}
	delete(n.dead, node)
}

// beat tells the other nodes of this one, and looks who is dead, until the hub is closed.
func (n *nodes) beat() {
	if n.lone { // a program inside a Durable Object sleeps only while no timer is pending
		<-n.hub.ctx.Done()
		n.tell(goodbye)
		return
	}
	ticker := time.NewTicker(n.hub.ping / beatsPerPing)
	defer ticker.Stop()
	lives := alive + strconv.FormatInt(n.hub.ping.Milliseconds(), 10)
	n.tell(lives)
	for {
		select {
		case <-ticker.C:
			n.tell(lives)
			n.look()
		case <-n.fresh:
			n.tell(lives)
		case <-n.hub.ctx.Done():
			n.tell(goodbye)
			return
		}
	}
}

func (n *nodes) tell(what string) {
	if err := n.hub.backplane.Publish(n.topic(), []byte(what+" "+n.hub.node)); err != nil {
		n.hub.report(fmt.Errorf("rooms: the other nodes cannot be reached: %w", err))
	}
}

func (n *nodes) look() {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	late := now.Sub(n.looked) > n.hub.ping/2 && !n.looked.IsZero() // this process stood still, and has not read what was said
	n.looked = now
	for node, h := range n.heard {
		switch {
		case late:
			n.heard[node] = heard{now, h.ping}
		case now.Sub(h.at) > max(n.hub.ping, h.ping):
			n.diedLocked(node)
		}
	}
	for node, at := range n.dead {
		if now.Sub(at) > mourned {
			delete(n.dead, node)
		}
	}
}

func (n *nodes) diedLocked(node string) {
	delete(n.heard, node)
	n.dead[node] = time.Now()
	for p := range n.presences {
		n.hub.do(func() { p.sweep(node) }) // not here: p takes its own lock first
	}
	n.onDead(node)
}

// see notes that something of a node was found. It reports false if the node is dead. If the node is not heard of, it is dead
// after a while.
func (n *nodes) see(node string) (lives bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, dead := n.dead[node]; dead {
		return false
	}
	if _, known := n.heard[node]; !known && node != n.hub.node && !n.lone {
		n.heard[node] = heard{time.Now(), 0}
	}
	return true
}

// hear notes that a node has done something. If it is not heard of again, it is dead after a while.
func (n *nodes) hear(node string) {
	n.mu.Lock()
	delete(n.dead, node)
	n.mu.Unlock()
	n.see(node)
}

// watch has p swept when a node dies.
func (n *nodes) watch(p *presence) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.presences[p] = struct{}{}
}

func (n *nodes) unwatch(p *presence) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.presences, p)
}
