package rooms

import (
	"fmt"
	"sync"
	"time"
)

// nodes knows which nodes live. Each node publishes its name several times in Options.Ping. A node that was not heard of for
// that long is dead. It may live nevertheless, behind a network that is cut, and come back.
type nodes struct {
	hub *core

	lone bool // the Backplane is that of one process: a node lives until it says goodbye

	mu        sync.Mutex           // guards what follows
	ended     chan struct{}        // closed when beat has ended; nil: it has not begun
	heard     map[string]time.Time // when each node was heard of
	presences map[*presence]struct{}
	onDead    func(node string)
}

const (
	beatsPerPing = 4 // so that a few may be lost
	goodbye      = "-"
	alive        = "+"
)

// start begins to listen to the other nodes, and to tell them of this one.
func (n *nodes) start() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended != nil {
		return nil
	}
	stop, err := n.hub.backplane.Subscribe(n.topic(), n.receive)
	if err != nil {
		return err
	}
	n.ended = make(chan struct{})
	go func() { // ends with the hub
		defer close(n.ended)
		n.beat()
		stop()
	}()
	return nil
}

// end waits until the other nodes are told that the hub is closed.
func (n *nodes) end() {
	n.mu.Lock()
	ended := n.ended
	n.mu.Unlock()
	if ended != nil {
		<-ended
	}
}

func (n *nodes) topic() string { return n.hub.topic("node", "all") }

func (n *nodes) receive(data []byte) {
	if len(data) == 0 || string(data[1:]) == n.hub.node {
		return
	}
	node := string(data[1:])
	n.mu.Lock()
	defer n.mu.Unlock()
	if string(data[:1]) == goodbye {
		n.diedLocked(node)
		return
	}
	n.heard[node] = time.Now()
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
	n.tell(alive)
	for {
		select {
		case <-ticker.C:
			n.tell(alive)
			n.look()
		case <-n.hub.ctx.Done():
			n.tell(goodbye)
			return
		}
	}
}

func (n *nodes) tell(what string) {
	if err := n.hub.backplane.Publish(n.topic(), []byte(what+n.hub.node)); err != nil {
		n.hub.report(fmt.Errorf("rooms: the other nodes cannot be reached: %w", err))
	}
}

func (n *nodes) look() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for node, at := range n.heard {
		if time.Since(at) > n.hub.ping {
			n.diedLocked(node)
		}
	}
}

func (n *nodes) diedLocked(node string) {
	delete(n.heard, node)
	for p := range n.presences {
		go p.sweep(node) // not here: p takes its own lock first
	}
	n.onDead(node)
}

// see notes that something of a node was found. If the node is not heard of, it is dead after a while.
func (n *nodes) see(node string) {
	if node == n.hub.node || n.lone {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.heard[node]; !known {
		n.heard[node] = time.Now()
	}
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
