package ws

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/budget"
)

var parkablePairs = []struct {
	name string
	pair func(testing.TB) (client, server net.Conn)
}{
	{"readiness of the socket", tcpPair},
	{"TLS, with an idle buffer", tlsPair},
}

// parkAgain parks c, which has nothing to read, and returns what tells that it was woken.
func parkAgain(t *testing.T, c *conn) (woken chan struct{}) {
	t.Helper()
	woken = make(chan struct{}, 1)
	if !c.Park(0, func() { woken <- struct{}{} }) {
		t.Fatal("a connection without data was not parked")
	}
	return woken
}

func TestParkedConnectionGoesOn(t *testing.T) {
	for _, tt := range parkablePairs {
		t.Run(tt.name, func(t *testing.T) {
			client, nc := tt.pair(t)
			c := newConn(nc, nil, config{})
			defer c.Close(1000, "")
			for i := range 3 {
				woken := parkAgain(t, c)
				if c.in != nil || c.idle != nil || c.asm != nil {
					t.Error("a parked connection has a buffer")
				}
				c.reader.CompareAndSwap(readerParked, readerParked) // that was before whoever unparks it
				text := fmt.Sprintf("message %d", i)
				if _, err := client.Write(fromClient(1, true, text)); err != nil {
					t.Fatal(err)
				}
				<-woken
				if msg, _, err := c.ReadFrame(nil); err != nil || string(msg) != text {
					t.Fatalf("ReadFrame: %q, %v, want %q", msg, err, text)
				}
			}
			woken := parkAgain(t, c)
			client.Close()
			<-woken
			if _, _, err := c.ReadFrame(nil); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("ReadFrame after the end: %v, want %v", err, io.ErrUnexpectedEOF)
			}
			if c.Park(0, func() {}) {
				t.Error("a connection was parked that has ended")
			}
		})
	}
}

// Park waits for its patience: once, and once more if a message has come meanwhile.
func TestParkWaits(t *testing.T) {
	const patience = 200 * time.Millisecond // more than what is there needs to be read
	for _, tt := range parkablePairs {
		t.Run(tt.name, func(t *testing.T) {
			client, nc := tt.pair(t)
			c := newConn(nc, nil, config{})
			defer c.Close(1000, "")
			woken := make(chan struct{}, 1)
			park := func() bool { return c.Park(patience, func() { woken <- struct{}{} }) }
			send := func(b []byte) {
				t.Helper()
				if _, err := client.Write(b); err != nil {
					t.Fatal(err)
				}
			}
			receive := func(want string) {
				t.Helper()
				if msg, _, err := c.ReadFrame(nil); err != nil || string(msg) != want {
					t.Fatalf("ReadFrame: %q, %v, want %q", msg, err, want)
				}
			}
			for range 2 {
				frame := fromClient(1, true, "in two parts")
				send(frame[:3])
				if park() {
					t.Fatal("parked while a message comes")
				}
				time.AfterFunc(2*patience, func() { client.Write(frame[3:]) })
				receive("in two parts") // no deadline cuts it
				began := time.Now()
				send(fromClient(1, true, "whole"))
				if park() {
					t.Fatal("parked although a message has come")
				}
				receive("whole")
				if !park() || time.Since(began) < patience {
					t.Fatalf("not parked, or after %v", time.Since(began))
				}
				send(fromClient(1, true, "awaken"))
				<-woken
				receive("awaken")
			}
		})
	}
}

// Only the owner of thousands of connections parks, and only where the socket tells what there is to read.
func TestNoParking(t *testing.T) {
	for _, tt := range []struct {
		name string
		pair func(testing.TB) (client, server net.Conn)
		conf config
	}{
		{"a client", tcpPair, config{client: true}},
		{"neither TCP nor TLS", wrappedPair, config{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, nc := tt.pair(t)
			c := newConn(nc, nil, tt.conf)
			defer c.Close(1000, "")
			if c.Park(0, nil) {
				t.Error("parked")
			}
		})
	}
}

// A channel finds Park by its method, and parks after its first message.
func TestChannelParks(t *testing.T) {
	s := Handler(kkrpc.Object{"nothing": func() {}}, nil)
	httpServer := httptest.NewServer(s)
	defer httpServer.Close()
	ch, err := Dial(t.Context(), "ws"+strings.TrimPrefix(httpServer.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	if err := ch.Call(t.Context(), nil, "nothing"); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, session := range s.open {
		await(t, "parking", func() bool { return session.conn.(*conn).reader.Load() == readerParked })
	}
	if len(s.open) != 1 {
		t.Errorf("%d connections", len(s.open))
	}
}

func TestHeartbeatWakesNobody(t *testing.T) {
	for _, tt := range parkablePairs {
		t.Run(tt.name, func(t *testing.T) {
			client, nc := tt.pair(t)
			c := newConn(nc, nil, config{})
			defer c.Close(1000, "")
			woken := parkAgain(t, c)
			for i := range 3 {
				payload := fmt.Sprintf("ping %d", i)
				c.life.Store(lifeQuiet)
				if _, err := client.Write(fromClient(ws.OpPing, true, payload)); err != nil {
					t.Fatal(err)
				}
				if pong := readUntil(t, client, ws.OpPong); string(pong.Payload) != payload {
					t.Fatalf("answer %q, want %q", pong.Payload, payload)
				}
				for c.reader.Load() != readerParked {
				}
				if len(woken) > 0 || c.life.Load() != lifeHeard {
					t.Fatalf("woken %d times, life %d", len(woken), c.life.Load())
				}
			}
			if _, err := client.Write(append(fromClient(ws.OpPong, true, ""), fromClient(1, true, "both")...)); err != nil {
				t.Fatal(err)
			}
			<-woken
			if msg, _, err := c.ReadFrame(nil); err != nil || string(msg) != "both" {
				t.Fatalf("ReadFrame: %q, %v", msg, err)
			}
		})
	}
}

// A parked connection is no place to hide: neither for a peer that has vanished, nor for one that trickles.
func TestLimitsOfTheParked(t *testing.T) {
	for _, tt := range parkablePairs {
		t.Run(tt.name, func(t *testing.T) {
			client, nc := tt.pair(t)
			c := newConn(nc, nil, config{ping: 5 * time.Hour}) // beat stands for it
			woken := parkAgain(t, c)
			beat(c)
			readUntil(t, client, ws.OpPing)
			beat(c)
			<-woken
			if _, _, err := c.ReadFrame(nil); err == nil || !strings.Contains(err.Error(), "did not answer a ping") {
				t.Errorf("ReadFrame of a peer that has vanished: %v", err)
			}

			client, nc = tt.pair(t)
			c = newConn(nc, nil, config{messageTime: 50 * time.Millisecond})
			var b budget.Budget
			var account budget.Account
			b.Init(1 << 20)
			account.Open(&b, nil)
			c.SetAccount(&account)
			defer c.Close(1000, "")
			woken = parkAgain(t, c)
			if _, err := client.Write(fromClient(1, true, "whole")[:1]); err != nil {
				t.Fatal(err)
			}
			<-woken
			if _, _, err := c.ReadFrame(nil); err == nil || !strings.Contains(err.Error(), "not complete after") {
				t.Errorf("ReadFrame of a peer that trickles: %v", err)
			}
			_ = c.Close(1000, "")
			awaitUsed(t, &b, func(used int64) bool { return used == 0 })
		})
	}
}

func TestNoParkingWithDataLeft(t *testing.T) {
	for _, tt := range parkablePairs {
		t.Run(tt.name, func(t *testing.T) {
			client, nc := tt.pair(t)
			c := newConn(nc, nil, config{})
			defer c.Close(1000, "")
			first, second := fromClient(1, true, string(make([]byte, 120))), fromClient(1, true, "more")
			first = fromClient(1, true, fmt.Sprintf("%0*d", 2*idleBuffer-len(first)+1, 0)) // ends where no buffer does
			if _, err := client.Write(append(first, second...)); err != nil {
				t.Fatal(err)
			}
			if _, _, err := c.ReadFrame(nil); err != nil {
				t.Fatal(err)
			}
			if c.Park(0, func() {}) {
				t.Fatal("a connection was parked whose next message had come")
			}
			if msg, _, err := c.ReadFrame(nil); err != nil || string(msg) != "more" {
				t.Fatalf("ReadFrame: %q, %v", msg, err)
			}
		})
	}
}

// The last decrypted bytes of a record lie in crypto/tls when what was read ends with the buffer.
func TestNoParkingWithDataLeftInTLS(t *testing.T) {
	client, nc := tlsPair(t)
	c := newConn(nc, nil, config{})
	defer c.Close(1000, "")
	if _, err := client.Write(fromClient(1, true, "left")); err != nil {
		t.Fatal(err)
	}
	var one [1]byte // has crypto/tls decrypt the rest of it too
	if _, err := io.ReadFull(nc, one[:]); err != nil {
		t.Fatal(err)
	}
	if c.Park(0, func() {}) {
		t.Fatal("a connection was parked that has data which was decrypted")
	}
	if c.w == 0 {
		t.Error("the data is lost")
	}
}

func TestCloseWakesTheParked(t *testing.T) {
	for _, tt := range parkablePairs {
		t.Run(tt.name, func(t *testing.T) {
			_, nc := tt.pair(t)
			c := newConn(nc, nil, config{})
			woken := parkAgain(t, c)
			c.Close(1000, "")
			<-woken
			if _, _, err := c.ReadFrame(nil); !errors.Is(err, net.ErrClosed) {
				t.Errorf("ReadFrame: %v, want %v", err, net.ErrClosed)
			}
			if c.Park(0, func() {}) {
				t.Error("a closed connection was parked")
			}
		})
	}
}

// A place may get an event of the connection that had it before, also while the next one fails to be added.
func TestLateEventAndNoPlace(t *testing.T) {
	_, nc := tcpPair(t)
	c := newConn(nc, nil, config{})
	defer c.Close(1000, "")
	nc.Close() // so that it cannot be added
	woken, result := make(chan struct{}, 1), make(chan bool)
	parked.mu.Lock()
	go func() { result <- c.Park(0, func() { woken <- struct{}{} }) }()
	for c.reader.Load() != readerParked {
	}
	c.unpark()
	parked.mu.Unlock()
	if will := <-result; will != (len(woken) == 1) {
		t.Errorf("Park is %v, and there were %d wakes", will, len(woken))
	}
}

func TestParkingAfterLackOfDescriptors(t *testing.T) {
	_, nc := tcpPair(t)
	c := newConn(nc, nil, config{})
	defer c.Close(1000, "")
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	few := before
	few.Cur = 3
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	var lot parkingLot
	added := lot.add(c)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if added {
		t.Fatal("added without a file descriptor")
	}
	if !lot.add(c) {
		t.Fatal("not added although there are file descriptors again")
	}
	lot.remove(c)
	lot.file.Close()
}

// Whatever comes first, each Park has one wake, and each message arrives.
func TestParkAndCloseAtOnce(t *testing.T) {
	for _, tt := range parkablePairs {
		t.Run(tt.name, func(t *testing.T) {
			var all sync.WaitGroup
			for round := range 20 {
				client, nc := tt.pair(t)
				c := newConn(nc, nil, config{})
				all.Go(func() {
					for i := range 50 {
						frame := append(fromClient(ws.OpPong, true, ""), fromClient(1, true, fmt.Sprint(i))...)
						if _, err := client.Write(frame); err != nil {
							return // closed
						}
					}
				})
				closeAt, next := round*5, 0
				patience := []time.Duration{0, 1, time.Millisecond}[round%3]
				var read func()
				ended := make(chan error, 1)
				read = func() {
					for {
						if next == closeAt {
							all.Go(func() { c.Close(1000, "") })
						}
						if c.Park(patience, read) {
							return
						}
						msg, _, err := c.ReadFrame(nil)
						if err != nil {
							ended <- err
							return
						}
						if string(msg) != fmt.Sprint(next) {
							t.Errorf("message %q, want %d", msg, next)
						}
						if next++; next == 50 {
							all.Go(func() { c.Close(1000, "") })
						}
					}
				}
				read()
				if err := <-ended; !errors.Is(err, net.ErrClosed) {
					t.Errorf("ReadFrame: %v, want %v", err, net.ErrClosed)
				}
				client.Close()
			}
			all.Wait()
		})
	}
}
