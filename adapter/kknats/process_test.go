package kknats_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/adapter/kknats"
	"github.com/kkrpc-go/kkrpc/adapter/kknats/embedded"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// The tests with real processes start this test program once for each node. A node has an embedded server, writes to logs,
// follows them, and reports by lines of JSON what it sees.

// nodeArgs is an environment variable with the nodeConfig of a node.
const nodeArgs = "KKNATS_TEST_NODE"

type nodeConfig struct {
	Name   string // of this life of the node; begins all that it writes
	Server struct {
		Store, Listen, Advertise string
		Nodes                    []string
	}
	Logs  map[string]uint64 // to follow, each after a number
	Every time.Duration     // how often each log is written to; 0: never
}

// report is a line of a node's output.
type report struct {
	Ready     bool              `json:",omitempty"`
	Epoch     string            `json:",omitempty"`
	Log       string            `json:",omitempty"`
	Sent      string            `json:",omitempty"` // text that it is about to append
	Acked     string            `json:",omitempty"` // text that was stored, as Seq
	Followed  string            `json:",omitempty"` // text that Follow passed, with Seq
	Failed    string            `json:",omitempty"` // text that may or may not have been stored
	Seq       uint64            `json:",omitempty"`
	Lost      string            `json:",omitempty"` // error
	Stopped   bool              `json:",omitempty"` // it writes no more
	Table     map[string]string `json:",omitempty"` // after a change
	Healthy   bool              `json:",omitempty"` // it has caught up
	Wrong     string            `json:",omitempty"` // error that must not be
	Connected time.Duration     `json:",omitempty"` // how long Connect took
}

// runNode is the program of a node. It ends when its input does.
func runNode(args string) {
	var config nodeConfig
	if err := json.Unmarshal([]byte(args), &config); err != nil {
		log.Fatal(err)
	}
	var mu sync.Mutex
	say := func(r report) {
		line, err := json.Marshal(r)
		if err != nil {
			log.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if _, err := os.Stdout.Write(append(line, '\n')); err != nil {
			os.Exit(1)
		}
	}
	server, err := embedded.Start(&embedded.Options{
		Store: config.Server.Store, Listen: config.Server.Listen, Advertise: config.Server.Advertise, Nodes: config.Server.Nodes,
	})
	if err != nil {
		say(report{Wrong: err.Error()})
		os.Exit(1)
	}
	defer server.Shutdown()
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	b, err := server.Connect(ctx, &kknats.Options{History: 1_000_000}) // so that all can be compared in the end
	if err != nil {
		say(report{Wrong: err.Error()})
		os.Exit(1)
	}
	defer b.Close()
	for name, after := range config.Logs {
		stop, err := b.Follow(ctx, name, after, rooms.Follower{
			Entry: func(e rooms.Entry) { say(report{Log: name, Followed: string(e.Data), Seq: e.Seq}) },
			Lost:  func(err error) { say(report{Log: name, Lost: err.Error()}) },
		})
		if err != nil {
			say(report{Wrong: err.Error()})
			os.Exit(1)
		}
		defer stop()
	}
	table := map[string]string{} // owned by Change
	stop, err := b.Watch(ctx, "nodes", rooms.Watcher{
		Change: func(c rooms.Change) {
			if table[c.Key] = string(c.Value); c.Value == nil {
				delete(table, c.Key)
			}
			say(report{Table: table})
		},
		Ready: func() {},
		Lost:  func(err error) { say(report{Log: "table", Lost: err.Error()}) },
	})
	if err != nil {
		say(report{Wrong: err.Error()})
		os.Exit(1)
	}
	defer stop()
	bounds, err := b.Bounds(ctx, "any")
	if err == nil {
		err = b.Put(ctx, "nodes", server.Name(), []byte(config.Name))
	}
	if err != nil {
		say(report{Wrong: err.Error()})
		os.Exit(1)
	}
	say(report{Ready: true, Epoch: bounds.Epoch, Connected: time.Since(began)})

	writing, stopWriting := context.WithCancel(context.Background())
	var writers sync.WaitGroup
	if config.Every > 0 {
		for name := range config.Logs {
			writers.Go(func() { write(writing, b, config.Name, name, config.Every, say) })
		}
	}
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		switch commands.Text() {
		case "stop":
			stopWriting()
			writers.Wait()
			say(report{Stopped: true})
		case "heal":
			for server.Health() != nil {
				<-time.After(20 * time.Millisecond)
			}
			say(report{Healthy: true})
		}
	}
	stopWriting()
	writers.Wait()
}

// write appends texts to a log. Every other one has an id, and is sent until it is acknowledged.
func write(ctx context.Context, b rooms.Backplane, node, name string, every time.Duration, say func(report)) {
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		text, id := fmt.Sprintf("%s/%s/%d", node, name, n), ""
		if n%2 == 0 {
			id = text
		}
		say(report{Log: name, Sent: text})
		for {
			short, cancel := context.WithTimeout(context.Background(), 3*time.Second)
			seq, err := b.Append(short, name, id, []byte(text))
			cancel()
			if err == nil {
				say(report{Log: name, Acked: text, Seq: seq})
				break
			}
			if !errors.Is(err, rooms.ErrUnavailable) {
				say(report{Wrong: "append: " + err.Error()})
			}
			say(report{Log: name, Failed: text})
			if id == "" || ctx.Err() != nil {
				break
			}
		}
	}
}

// process is a node that runs, or has run.
type process struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	ended chan struct{} // closed when all its output was read
}

// life is what all lives of a node have reported.
type life struct {
	config nodeConfig
	lives  int
	*process
	*world
	index int
}

// world is what all nodes have reported.
type world struct {
	t *testing.T

	mu       sync.Mutex
	changed  chan struct{} // closed and made anew with each report
	ready    []int         // by node: how often it was
	stopped  []int
	healthy  []int
	epochs   map[string]bool
	sent     map[string]int               // text: how often
	acked    map[string]map[string]uint64 // log: text: number
	failures int
	followed []map[string][]rooms.Entry // by node: log
	tables   []map[string]string        // by node
	wrong    []string
	slowest  time.Duration // of all Connects
}

func newWorld(t *testing.T, n int) *world {
	w := &world{t: t, changed: make(chan struct{}), ready: make([]int, n), stopped: make([]int, n), healthy: make([]int, n), epochs: map[string]bool{}, sent: map[string]int{},
		acked: map[string]map[string]uint64{}, tables: make([]map[string]string, n)}
	for range n {
		w.followed = append(w.followed, map[string][]rooms.Entry{})
	}
	return w
}

func (w *world) take(node int, r report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case r.Ready:
		w.ready[node]++
		w.epochs[r.Epoch] = true
		w.slowest = max(w.slowest, r.Connected)
	case r.Sent != "":
		w.sent[r.Sent]++
	case r.Acked != "":
		if w.acked[r.Log] == nil {
			w.acked[r.Log] = map[string]uint64{}
		}
		w.acked[r.Log][r.Acked] = r.Seq
	case r.Followed != "":
		w.followed[node][r.Log] = append(w.followed[node][r.Log], rooms.Entry{Seq: r.Seq, Data: []byte(r.Followed)})
	case r.Failed != "":
		w.failures++
	case r.Lost != "":
		w.wrong = append(w.wrong, fmt.Sprintf("node %d lost %s: %s", node, r.Log, r.Lost))
	case r.Healthy:
		w.healthy[node]++
	case r.Stopped:
		w.stopped[node]++
	case r.Table != nil:
		w.tables[node] = r.Table
	case r.Wrong != "":
		w.wrong = append(w.wrong, fmt.Sprintf("node %d: %s", node, r.Wrong))
	}
	close(w.changed)
	w.changed = make(chan struct{})
}

// until waits until holds, which is called with the lock.
func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	late := time.After(2 * patience)
	for {
		w.mu.Lock()
		ok, changed, wrong := holds(), w.changed, slices.Clone(w.wrong)
		w.mu.Unlock()
		if len(wrong) > 0 {
			w.t.Fatalf("waiting for %s: %s", what, strings.Join(wrong, "\n"))
		}
		if ok {
			return
		}
		select {
		case <-changed:
		case <-late:
			w.t.Fatalf("waited %v for %s", 2*patience, what)
		}
	}
}

// begin starts a node on its store, after what its former lives have followed.
func (l *life) begin() {
	l.t.Helper()
	l.lives++
	config := l.config
	config.Name = fmt.Sprintf("%d.%d", l.index, l.lives)
	config.Logs = maps.Clone(config.Logs)
	l.mu.Lock()
	for name, got := range l.followed[l.index] {
		config.Logs[name] = got[len(got)-1].Seq
	}
	l.mu.Unlock()
	args, err := json.Marshal(config)
	if err != nil {
		l.t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		l.t.Fatal(err)
	}
	p := &process{cmd: exec.Command(program), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), nodeArgs+"="+string(args))
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		l.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.process = p
	go func() { // ends with the process
		defer close(p.ended)
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				break // a part of a line was cut off with its process
			}
			var r report
			if err := json.Unmarshal(line, &r); err != nil {
				r = report{Wrong: fmt.Sprintf("%q: %v", line, err)}
			}
			l.take(l.index, r)
		}
		p.cmd.Wait()
	}()
}

func (l *life) kill() {
	l.cmd.Process.Kill()
	<-l.ended
}

// end has the node shut down in order.
func (l *life) end() {
	l.in.Close()
	<-l.ended
}

func (l *life) tell(command string) {
	if _, err := io.WriteString(l.in, command+"\n"); err != nil {
		l.t.Error(err)
	}
}

// population starts nodes and waits until they are ready. Each is configured by configure.
func population(t *testing.T, n int, logs []string, configure func(node int, c *nodeConfig)) (*world, []*life) {
	w := newWorld(t, n)
	addrs := freeAddrs(t, n)
	var lives []*life
	for i := range n {
		c := nodeConfig{Logs: map[string]uint64{}, Every: 15 * time.Millisecond}
		c.Server.Store, c.Server.Listen, c.Server.Nodes = t.TempDir(), addrs[i], addrs
		for _, name := range logs {
			c.Logs[name] = 0
		}
		configure(i, &c)
		l := &life{config: c, world: w, index: i}
		l.begin()
		t.Cleanup(l.kill)
		lives = append(lives, l)
	}
	w.until("all nodes to be ready", func() bool { return !slices.Contains(w.ready, 0) })
	return w, lives
}

// ask gives all nodes a command and waits until all have done it, which answers counts.
func (w *world) ask(lives []*life, command string, answers []int) {
	w.t.Helper()
	w.mu.Lock()
	before := slices.Clone(answers)
	w.mu.Unlock()
	for _, l := range lives {
		l.tell(command)
	}
	w.until("all nodes to "+command, func() bool {
		for i, n := range before {
			if answers[i] <= n {
				return false
			}
		}
		return true
	})
}

// settle has all nodes stop writing, waits until they have followed all, and checks the logs.
func (w *world) settle(lives []*life, logs []string) {
	w.t.Helper()
	w.ask(lives, "stop", w.stopped)
	for _, name := range logs {
		w.until("all nodes to have followed "+name, func() bool {
			// Counting would not do: messages are stored that were not acknowledged.
			last := uint64(0)
			for _, seq := range w.acked[name] {
				last = max(last, seq)
			}
			for _, followed := range w.followed {
				if got := followed[name]; len(got) == 0 || got[len(got)-1].Seq < last || !tail(got, w.followed[0][name]) {
					return false
				}
			}
			return true
		})
	}
	w.check(logs)
}

// tail tells whether two lists end alike.
func tail(a, b []rooms.Entry) bool {
	return len(a) > 0 && len(b) > 0 && a[len(a)-1].Seq == b[len(b)-1].Seq
}

// check says what is wrong with what was followed: all nodes got all acknowledged messages once, in one order.
func (w *world) check(logs []string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	total := 0
	for _, name := range logs {
		first := w.followed[0][name]
		for i, followed := range w.followed {
			got := followed[name]
			if len(got) != len(first) {
				w.t.Errorf("%s: node %d followed %d messages, node 0 %d", name, i, len(got), len(first))
			}
			for j := range min(len(got), len(first)) {
				if got[j].Seq != first[j].Seq || string(got[j].Data) != string(first[j].Data) {
					w.t.Errorf("%s: message %d is %d %s for node %d, and %d %s for node 0", name, j, got[j].Seq, got[j].Data, i, first[j].Seq, first[j].Data)
					break
				}
			}
		}
		seqs := map[string]uint64{}
		last := uint64(0)
		for _, e := range first {
			if e.Seq <= last {
				w.t.Errorf("%s: %d follows %d", name, e.Seq, last)
			}
			last = e.Seq
			if seq, twice := seqs[string(e.Data)]; twice {
				w.t.Errorf("%s: %s is stored as %d and as %d", name, e.Data, seq, e.Seq)
			}
			if w.sent[string(e.Data)] == 0 {
				w.t.Errorf("%s: nobody sent %s", name, e.Data)
			}
			seqs[string(e.Data)] = e.Seq
		}
		for text, seq := range w.acked[name] {
			if seqs[text] != seq {
				w.t.Errorf("%s: %s was acknowledged as %d, and is %d", name, text, seq, seqs[text])
			}
		}
		total += len(first)
	}
	if len(w.epochs) != 1 {
		w.t.Errorf("the epochs were %v", w.epochs)
	}
	w.t.Logf("%d messages in %d logs, %d of %d sends without an acknowledgement, slowest start %v", total, len(logs), w.failures, len(w.sent), w.slowest)
}
