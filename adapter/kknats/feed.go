package kknats

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The reader of a stream gets all its messages in their order, and passes each to those who follow its log or table. It is
// one for the whole stream: JetStream's consumers are too dear for one in each log. It has a consumer in the memory of one
// server. If that server is silent for two heartbeats, the reader makes another consumer that begins where the last one ended.

// run reads until ctx ends.
func (s *stream) run(ctx context.Context) {
	wait := time.Duration(0)
	for pause(ctx, wait) == nil {
		before := s.position()
		err := s.session(ctx)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			// It was deleted. It has to be there again for those who publish.
			if made, err := s.make(ctx); err == nil {
				s.renew(made.CachedInfo())
			}
		}
		if s.position() != before {
			wait = 0
			continue
		}
		wait = min(max(2*wait, 10*time.Millisecond), 500*time.Millisecond)
	}
}

func (s *stream) position() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursor
}

// session reads by one consumer until something is wrong with it. The server sends messages to an inbox; flow control has it
// wait for a reader that is slow. nats.go would read by pulling, but its iterator got nothing any more after a silent
// connection was replaced, in TestDiscardedUnseen.
func (s *stream) session(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	cursor := s.cursor
	s.abandon = cancel
	s.mu.Unlock()
	inbox := s.nc.NewInbox()
	sub, err := s.nc.SubscribeSync(inbox)
	if err != nil {
		return err
	}
	defer sub.Unsubscribe()
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return err
	}
	short, done := context.WithTimeout(ctx, 2*time.Second)
	defer done()
	consumer, err := s.js.CreatePushConsumer(short, s.name, jetstream.ConsumerConfig{
		Name:              "kkrpc_" + rand.Text(),
		DeliverSubject:    inbox,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       cursor + 1,
		AckPolicy:         jetstream.AckNonePolicy,
		MaxDeliver:        1,
		FlowControl:       true,
		IdleHeartbeat:     s.opts.Heartbeat,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: 30 * time.Second,
	})
	if err != nil {
		return err
	}
	defer s.forget(consumer)
	// The consumer is gone with its stream. If the stream is now the same as ever, so it was before.
	info, err := s.info(short)
	if err != nil {
		return err
	}
	if s.renew(info) {
		return errRemade
	}
	if first := info.State.FirstSeq; s.isLogs && first > cursor+1 {
		if err := s.gap(ctx, cursor, first); err != nil {
			return err
		}
	}
	for delivered := uint64(0); ; {
		m, err := next(ctx, sub, 2*s.opts.Heartbeat)
		if err != nil {
			return err
		}
		if m.Header.Get("Status") != "" {
			if err := s.control(m, delivered); err != nil {
				return err
			}
			continue
		}
		about, err := m.Metadata()
		if err != nil {
			return err
		}
		if delivered++; about.Sequence.Consumer != delivered {
			return errUnderway
		}
		seq := about.Sequence.Stream
		if cursor = s.position(); s.isLogs && seq > cursor+1 {
			if err := s.gap(ctx, cursor, seq); err != nil {
				return err
			}
		}
		s.pass(message{m.Subject, seq, notNil(m.Data), m.Header.Get(opHeader) == opDelete})
	}
}

var errUnderway = errors.New("a message was lost on its way from the server")

// next waits for a message for a time.
func next(ctx context.Context, sub *nats.Subscription, most time.Duration) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return sub.NextMsgWithContext(ctx)
}

// control takes a message that the consumer sends for itself: a heartbeat, or a question whether this node follows suit.
func (s *stream) control(m *nats.Msg, delivered uint64) error {
	if status := m.Header.Get("Status"); status != "100" {
		return fmt.Errorf("the consumer ends: %s %s", status, m.Header.Get("Description"))
	}
	if m.Reply != "" {
		return s.nc.Publish(m.Reply, nil)
	}
	if stalled := m.Header.Get("Nats-Consumer-Stalled"); stalled != "" {
		if err := s.nc.Publish(stalled, nil); err != nil {
			return err
		}
	}
	if last, err := strconv.ParseUint(m.Header.Get("Nats-Last-Consumer"), 10, 64); err == nil && last != delivered {
		return errUnderway
	}
	return nil
}

// forget removes a consumer, which its server would do later.
func (s *stream) forget(c jetstream.PushConsumer) {
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	if s.nc.IsConnected() {
		s.js.DeleteConsumer(ctx, s.name, c.CachedInfo().Name)
	}
}

// token returns the token of the group that a subject belongs to.
func (s *stream) token(subject string) string {
	token := strings.TrimPrefix(subject, s.prefix)
	if i := strings.IndexByte(token, '.'); i >= 0 {
		return token[:i]
	}
	return token
}

func (s *stream) pass(m message) {
	s.mu.Lock()
	s.cursor = m.seq
	var followers []*follower
	if g := s.groups[s.token(m.subject)]; g != nil {
		g.last = m.seq
		followers = g.followers // which is never changed, but replaced
	}
	s.mu.Unlock()
	for _, f := range followers {
		f.offer(m)
	}
}

// passed returns the number of the last message of a group that was passed on, as far as that is known.
func (s *stream) passed(token string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.groups[token]; g != nil {
		return g.last
	}
	return 0
}

// add has f get what is passed on from now on, in the life of the stream that is returned.
func (s *stream) add(token string, f *follower) (life time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[token]
	if g == nil {
		g = &group{}
		s.groups[token] = g
	}
	g.followers = append(slices.Clip(g.followers), f)
	return s.life
}

func (s *stream) remove(token string, f *follower) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[token]
	if g == nil {
		return
	}
	g.followers = slices.DeleteFunc(slices.Clone(g.followers), func(o *follower) bool { return o == f })
	if len(g.followers) == 0 {
		delete(s.groups, token)
	}
}

// lose ends all who follow a group for which is holds.
func (s *stream) lose(err error, is func(token string) bool) {
	s.mu.Lock()
	var lost []*follower
	for token, g := range s.groups {
		if is(token) {
			lost = append(lost, g.followers...)
			delete(s.groups, token)
		}
	}
	s.mu.Unlock()
	for _, f := range lost {
		f.lose(err)
	}
}

func every(string) bool { return true }

// renew begins anew, at the end, if the stream is not that which this node has read.
func (s *stream) renew(info *jetstream.StreamInfo) bool {
	s.mu.Lock()
	same := s.life.Equal(info.Created)
	if !same {
		s.life, s.cursor, s.current = info.Created, info.State.LastSeq, time.Now()
	}
	s.mu.Unlock()
	if !same {
		s.lose(errRemade, every)
	}
	return !same
}

// gap ends those who follow a log that may have lost messages between the numbers cursor and next, where the stream has none.
// They were discarded before this node got them.
func (s *stream) gap(ctx context.Context, cursor, next uint64) error {
	s.mu.Lock()
	none := len(s.groups) == 0
	s.mu.Unlock()
	lost := map[string]bool{}
	if !none {
		short, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		info, err := s.info(short, jetstream.WithSubjectFilter(s.prefix+">"))
		if err != nil {
			return err
		}
		if s.renew(info) {
			return errRemade
		}
		if info.State.FirstSeq > cursor+1 {
			s.lose(errMissed, every)
		}
		for subject, n := range info.State.Subjects {
			if token := s.token(subject); int64(n) >= historyOf(&info.Config) && s.follows(token) {
				first, err := s.edge(short, leaderRequest{Seq: 1, NextFor: subject})
				if err != nil {
					return err
				}
				lost[token] = first > cursor+1
			}
		}
	}
	s.mu.Lock()
	s.cursor = max(s.cursor, next-1)
	s.mu.Unlock()
	s.lose(errMissed, func(token string) bool { return lost[token] })
	return nil
}

func (s *stream) follows(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.groups[token] != nil
}

// checkLag has the reader ask another server if that which it has does not send the messages that the leader has. A server
// that was cut off can need more than a minute to catch up, and sends heartbeats all the while.
func (s *stream) checkLag(ctx context.Context) {
	late := uint64(0) // number of a message that the leader had at the last check, and the reader did not
	for pause(ctx, 2*s.opts.Heartbeat) == nil {
		cursor := s.position()
		short, cancel := context.WithTimeout(ctx, 2*time.Second)
		next, err := s.edge(short, leaderRequest{Seq: cursor + 1, NextFor: s.prefix + ">"})
		cancel()
		s.mu.Lock()
		switch {
		case err != nil || next == 0:
			next = 0
		case s.cursor < late:
			s.abandon()
			next = 0
		}
		s.mu.Unlock()
		late = next
	}
}

// checkAge ends those who watch tables if this node has been so far behind that it may have missed a deletion, which the
// tables remember for a time only. A server that is cut off from the others has heartbeats, but no messages.
func (s *stream) checkAge(ctx context.Context) {
	for pause(ctx, s.deleted()/8) == nil {
		asked := time.Now()
		short, cancel := context.WithTimeout(ctx, 5*time.Second)
		info, err := s.info(short)
		cancel()
		s.mu.Lock()
		if err == nil && s.life.Equal(info.Created) && s.cursor >= info.State.LastSeq {
			s.current = asked
		}
		old := asked.Sub(s.current)
		late := old > s.deleted()/2
		if late && err == nil {
			s.current = asked
		}
		s.mu.Unlock()
		if late && err == nil {
			s.lose(fmt.Errorf("this node was cut off for %v, so that it may have missed deletions", old.Round(time.Second)), every)
		}
	}
}
