package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// Fan is how messages are sent to the members of a room.
type Fan struct {
	join string // the method that takes a member's function
	send string // the method that sends n messages
	// message is what members get as the ith message with a text.
	message func(i int, text string) any
}

var (
	// Burst is a room that the server's library keeps. Members get the text.
	Burst = Fan{"join", "burst", func(_ int, text string) any { return text }}
	// Tell is functions that the server itself calls in a loop. Members get an object.
	Tell = Fan{"watch", "tell", told}
	// TellShared is Tell by a server that encodes a message once for all.
	TellShared = Fan{"watch", "tellShared", told}
)

func told(i int, text string) any {
	return struct {
		From   string `json:"from"`
		Number int    `json:"number"`
		Text   string `json:"text"`
	}{"Ada", i, text}
}

// Room is connections that get what is sent to all of them. The first also says when.
type Room struct {
	fan     Fan
	members []*Session
}

// Room connects members. They join by a call, unless the dialect is echo or centrifuge: the servers of Bun and of
// Centrifugo's library put every connection in a room.
func (t Target) Room(dialect string, fan Fan, members int) (*Room, error) {
	native := dialect == "echo" || dialect == "centrifuge"
	connect := func() (*Session, error) { return t.Session(dialect) }
	switch dialect {
	case "echo":
		dialect = "compact-json"
	case "centrifuge":
		connect = t.centrifuge
	}
	r := &Room{fan: fan}
	for range members {
		s, err := connect()
		if err == nil {
			r.members = append(r.members, s)
			if !native {
				err = s.join(fan.join)
			}
		}
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
	}
	return r, nil
}

func (s *Session) join(method string) error {
	if err := s.call(method, s.function()); err != nil {
		return err
	}
	msg, err := s.message()
	if err == nil {
		_, err = s.result(msg)
	}
	return err
}

// Send has the server send n messages to all members, and waits until all have them.
func (r *Room) Send(n int, text string) error {
	if len(r.members) == 0 {
		return errors.New("nobody is in the room")
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return err
	}
	want := make([][]byte, n)
	for i := range want {
		if want[i], err = json.Marshal(r.fan.message(i, text)); err != nil {
			return err
		}
	}
	first := r.members[0]
	if err := first.call(r.fan.send, first.value(strconv.Itoa(n))+","+first.value(string(quoted))); err != nil {
		return err
	}
	var wg sync.WaitGroup
	errs := make([]error, len(r.members))
	for i, m := range r.members {
		wg.Go(func() { errs[i] = m.deliveries(want, i == 0, n*len(r.members)) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// deliveries takes messages and, of who asked for them, the answer, which may be anywhere between them.
func (s *Session) deliveries(want [][]byte, answer bool, sent int) error {
	f := form{sign: `"type":"callback"`, marker: `"args":[`}
	switch {
	case s.compact:
		f = form{sign: `"t":"cb"`, marker: `"v":`}
	case s.lines:
		f = form{sign: `"push":`, marker: `"data":`}
	}
	for got := 0; got < len(want) || answer; {
		msg, err := s.message()
		if err != nil {
			return fmt.Errorf("after %d of %d messages: %w", got, len(want), err)
		}
		if !bytes.Contains(msg, []byte(f.sign)) {
			value, err := s.result(msg)
			if err != nil || !answer || string(value) != strconv.Itoa(sent) {
				return errors.Join(fmt.Errorf("the answer is %.200s, want %d", msg, sent), err)
			}
			answer = false
			continue
		}
		at := bytes.Index(msg, []byte(f.marker))
		if got == len(want) || at < 0 || !bytes.HasPrefix(msg[at+len(f.marker):], want[got]) {
			return fmt.Errorf("a member got %.200s as message %d of %d", msg, got+1, len(want))
		}
		got++
	}
	return nil
}

// Paced has a member send so many messages a second for a while, and returns how long each took to each member. The last
// member stalls if stalled is true: it does not read.
func (r *Room) Paced(perSecond int, d time.Duration, stalled bool) (*Histogram, error) {
	readers := r.members
	if stalled {
		readers = readers[:len(readers)-1]
	}
	n := int(d.Seconds() * float64(perSecond))
	start := time.Now()
	times, errs := make([]*Histogram, len(readers)), make([]error, len(readers)+1)
	var wg sync.WaitGroup
	for i, m := range readers {
		times[i] = new(Histogram)
		wg.Go(func() { errs[i] = m.timed(n, i == 0, start, times[i]) })
	}
	first := r.members[0]
	for i := range n {
		if wait := time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(perSecond))); wait > 0 {
			time.Sleep(wait)
		}
		if err := first.call("say", first.value(strconv.Quote(strconv.FormatInt(int64(time.Since(start)), 10)))); err != nil {
			errs[len(readers)] = err
			break
		}
	}
	wg.Wait()
	all := new(Histogram)
	for _, h := range times {
		all.Merge(h)
	}
	return all, errors.Join(errs...)
}

// timed takes n messages that say when they were sent, and of who sends them as many answers.
func (s *Session) timed(n int, answers bool, start time.Time, times *Histogram) error {
	message := form{`"t":"cb"`, `"v":"`}
	missing := 0
	if answers {
		missing = n
	}
	for got := 0; got < n || missing > 0; {
		msg, err := s.message()
		if err != nil {
			return fmt.Errorf("after %d of %d messages: %w", got, n, err)
		}
		if sent, ok := message.number(msg); ok {
			times.Add(time.Since(start)-time.Duration(sent), 1)
			got++
			continue
		}
		if !bytes.Contains(msg, []byte(`"t":"r"`)) || bytes.Contains(msg, []byte(`"e":`)) {
			return fmt.Errorf("a member got %.200s", msg)
		}
		missing--
	}
	return nil
}

// Close closes all connections.
func (r *Room) Close() error {
	var errs []error
	for _, m := range r.members {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}
