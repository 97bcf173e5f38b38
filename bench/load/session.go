package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Session is a connection for what is more than calls, in the dialects compact-json and classic-json. For rooms there is
// centrifuge too.
type Session struct {
	c       *conn
	d       Dialect
	compact bool
	lines   bool   // a frame may hold several messages
	rest    []byte // of a frame
	id      uint64
	out     Out
}

// Session connects. Every operation has to end within patience of the last message.
func (t Target) Session(dialect string) (*Session, error) {
	if dialect != "compact-json" && dialect != "classic-json" {
		return nil, fmt.Errorf("streams and callbacks are not measured in %s", dialect)
	}
	c, err := t.dial()
	if err != nil {
		return nil, err
	}
	return &Session{c: c, d: Dialects[dialect], compact: dialect == "compact-json"}, nil
}

// centrifuge connects to Centrifugo's library, and introduces itself.
func (t Target) centrifuge() (*Session, error) {
	c, err := t.dial()
	if err != nil {
		return nil, err
	}
	s := &Session{c: c, d: centrifuge{}, lines: true}
	s.d.Hello(&s.out)
	if err = s.flush(); err == nil {
		var msg []byte
		if msg, err = s.message(); err == nil && !bytes.Contains(msg, []byte(`"connect"`)) {
			err = errAnswer(msg)
		}
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return s, nil
}

// Close closes the connection.
func (s *Session) Close() error { return s.c.Close() }

// fn stands for the one function that a session passes.
const fn = "member"

func (s *Session) value(text string) string {
	if s.compact {
		return `{"__kkrpc_next_arg__":"value","v":` + text + `}`
	}
	return text
}

func (s *Session) function() string {
	if s.compact {
		return `{"__kkrpc_next_arg__":"callback","id":"` + fn + `"}`
	}
	return `"__callback__` + fn + `"`
}

// call sends a request with args, JSON that value and function made.
func (s *Session) call(method, args string) error {
	s.id++
	b := s.out.begin()
	if s.lines {
		b = append(b, `{"id":`...)
		b = strconv.AppendUint(b, s.id+1, 10)
		b = append(b, `,"rpc":{"method":"`+method+`","data":[`+args+`]}}`...)
	} else if s.compact {
		b = append(b, `{"t":"q","id":"`+compactID...)
		b = appendHex(b, s.id, idDigits)
		b = append(b, `","op":"call","p":[`...)
		b = appendPath(b, method)
		b = append(b, `],"a":[`+args+`]}`...)
	} else {
		b = append(b, `{"id":"`+classicID...)
		b = appendHex(b, s.id, idDigits)
		b = append(b, `","method":"`+method+`","args":[`+args+`],"type":"request","callbackIds":["`+fn+`"],"version":"json"}`+"\n"...)
	}
	s.out.end(b)
	return s.flush()
}

func (s *Session) flush() error {
	_, err := s.c.Write(s.out.take())
	return err
}

// message waits for the next message.
func (s *Session) message() ([]byte, error) {
	if !s.lines {
		return s.frame()
	}
	for {
		if len(s.rest) == 0 {
			frame, err := s.frame()
			if err != nil {
				return nil, err
			}
			s.rest = frame
		}
		var line []byte
		if line, s.rest, _ = bytes.Cut(s.rest, []byte{'\n'}); len(line) > 0 && string(line) != "{}" { // else it is a ping
			return line, nil
		}
	}
}

// frame waits for the next frame.
func (s *Session) frame() ([]byte, error) {
	msg, ok, err := s.c.next()
	if !ok && err == nil {
		if err = s.c.SetReadDeadline(time.Now().Add(patience)); err == nil {
			msg, err = s.c.message()
		}
	}
	return bytes.TrimSuffix(msg, []byte{'\n'}), err
}

// result takes the answer to the last call apart.
func (s *Session) result(msg []byte) ([]byte, error) {
	text, value, err := s.d.Parse(msg)
	if err != nil {
		return nil, err
	}
	if id, ok := s.d.ID(text); !ok || id != s.id {
		return nil, fmt.Errorf("not the answer to call %d: %.200s", s.id, msg)
	}
	return value, nil
}

// form is how messages look of which there are many: marker is before a number, sign is in no other message.
type form struct{ sign, marker string }

var (
	compactItem     = form{`"d":false`, `"v":`}
	compactCallback = form{`"t":"cb"`, `"v":`}
	classicItem     = form{`"type":"stream-chunk"`, `"value":`}
	classicCallback = form{`"type":"callback"`, `"args":[`}
)

// number returns the number in a message of this form.
func (f form) number(msg []byte) (n int, ok bool) {
	at := bytes.LastIndex(msg, []byte(f.marker))
	if at < 0 || !bytes.Contains(msg, []byte(f.sign)) {
		return 0, false
	}
	digits := msg[at+len(f.marker):]
	end := 0
	for end < len(digits) && '0' <= digits[end] && digits[end] <= '9' {
		n = n*10 + int(digits[end]-'0')
		end++
	}
	return n, end > 0 && end < len(digits)
}

// Storm has the server call a function n times, and checks that it did, in order, before it answered.
func (s *Session) Storm(n int) error {
	if err := s.call("storm", s.value(strconv.Itoa(n))+","+s.function()); err != nil {
		return err
	}
	f := classicCallback
	if s.compact {
		f = compactCallback
	}
	for i := range n {
		msg, err := s.message()
		if err != nil {
			return fmt.Errorf("after %d of %d callbacks: %w", i, n, err)
		}
		if got, ok := f.number(msg); !ok || got != i {
			return fmt.Errorf("callback %d is %.200s", i, msg)
		}
	}
	return s.finish(strconv.Itoa(n))
}

// finish waits for the answer to the last call.
func (s *Session) finish(want string) error {
	msg, err := s.message()
	if err != nil {
		return err
	}
	got, err := s.result(msg)
	if err != nil {
		return err
	}
	if string(got) != want {
		return fmt.Errorf("the answer is %s, want %s", got, want)
	}
	return nil
}

// kkrpc 2 asks for 32 items at first, then for 16 each time it has had 16.
const (
	firstPull = 32
	nextPull  = 16
)

// Stream takes a stream of n numbers that count up, and checks them.
func (s *Session) Stream(n int) error {
	if err := s.call("count", s.value(strconv.Itoa(n))); err != nil {
		return err
	}
	msg, err := s.message()
	if err != nil {
		return err
	}
	opened, err := s.result(msg)
	if err != nil {
		return err
	}
	var stream struct{ ID string }
	if err := json.Unmarshal(opened, &stream); err != nil || s.compact && stream.ID == "" {
		return fmt.Errorf("not a stream: %.200s", opened)
	}
	f, end := classicItem, []byte(`"stream-end"`)
	if s.compact {
		f, end = compactItem, []byte(`"d":true`)
		if err := s.pull(stream.ID, firstPull); err != nil {
			return err
		}
	}
	for i := range n {
		msg, err := s.message()
		if err != nil {
			return fmt.Errorf("after %d of %d items: %w", i, n, err)
		}
		if got, ok := f.number(msg); !ok || got != i {
			return fmt.Errorf("item %d is %.200s", i, msg)
		}
		if s.compact && i%nextPull == nextPull-1 {
			if err := s.pull(stream.ID, nextPull); err != nil {
				return err
			}
		}
	}
	if msg, err = s.message(); err != nil {
		return err
	}
	if !bytes.Contains(msg, end) {
		return fmt.Errorf("after the last item: %.200s", msg)
	}
	return s.settle()
}

// settle takes what a server says of a pull that crossed the end of its stream: a call's answer follows all of it.
func (s *Session) settle() error {
	if !s.compact {
		return nil
	}
	if err := s.call("add", s.value("1")+","+s.value("2")); err != nil {
		return err
	}
	for {
		msg, err := s.message()
		if err != nil {
			return err
		}
		if bytes.Contains(msg, []byte(`"t":"sr"`)) {
			continue
		}
		if got, err := s.result(msg); err != nil || string(got) != "3" {
			return errors.Join(fmt.Errorf("not the answer to add: %.200s", msg), err)
		}
		return nil
	}
}

func (s *Session) pull(stream string, n int) error {
	s.id++
	b := s.out.begin()
	b = append(b, `{"t":"sq","id":"`+compactID...)
	b = appendHex(b, s.id, idDigits)
	b = append(b, `","sid":"`...)
	b = append(b, stream...)
	b = append(b, `","op":"pull","n":`...)
	b = strconv.AppendInt(b, int64(n), 10)
	s.out.end(append(b, '}'))
	return s.flush()
}
