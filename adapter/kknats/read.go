package kknats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kkrpc-go/kkrpc/rooms"
)

// Reading. A message is read from any server that has it, many at once, by JetStream's direct get. Such a server may lag
// behind. Therefore the leader is asked first how far the messages go, and reading is repeated until they are there.

const (
	pageMessages = 256     // how many messages are read at once
	pageBytes    = 4 << 20 // and after how many bytes no further one is
)

// message is a message of a stream.
type message struct {
	subject string
	seq     uint64
	data    []byte // not nil
	deleted bool   // a key of a table was deleted
}

// leaderRequest is a request for one message to the leader.
type leaderRequest struct {
	Seq       uint64 `json:"seq,omitempty"`
	NextFor   string `json:"next_by_subj,omitempty"`
	LastFor   string `json:"last_by_subj,omitempty"`
	NoHeaders bool   `json:"no_hdr,omitempty"`
}

// directRequest is a request for many messages to any server.
type directRequest struct {
	Seq      uint64 `json:"seq"`
	NextFor  string `json:"next_by_subj"`
	Batch    int    `json:"batch"`
	MaxBytes int    `json:"max_bytes"`
}

const codeNoMessage = 10037

var errBadRequest = errors.New("the servers do not know a request: they need version 2.12 or later")

// edge returns the number of the first or last message that the leader has, 0 for none.
func (s *stream) edge(ctx context.Context, r leaderRequest) (uint64, error) {
	r.NoHeaders = true
	request, err := json.Marshal(r)
	if err != nil {
		return 0, err
	}
	m, err := s.nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+s.name, request)
	if err != nil {
		return 0, err
	}
	var response struct {
		Error   *jetstream.APIError
		Message struct{ Seq uint64 }
	}
	if err := json.Unmarshal(m.Data, &response); err != nil {
		return 0, err
	}
	switch e := response.Error; {
	case e == nil:
		return response.Message.Seq, nil
	case e.ErrorCode == codeNoMessage:
		return 0, nil
	default:
		return 0, e
	}
}

// batch reads messages from the number from on, oldest first, from one server at one moment. left is how many the server has
// after them.
func (s *stream) batch(ctx context.Context, subject string, from uint64, limit int) (got []message, left uint64, err error) {
	request, err := json.Marshal(directRequest{max(from, 1), subject, limit, pageBytes})
	if err != nil {
		return nil, 0, err
	}
	inbox := s.nc.NewRespInbox()
	answers := make(chan *nats.Msg, limit+1) // SubscribeSync would make one for 65,536
	sub, err := s.nc.ChanSubscribe(inbox, answers)
	if err != nil {
		return nil, 0, err
	}
	defer sub.Unsubscribe()
	if err := s.nc.PublishRequest("$JS.API.DIRECT.GET."+s.name, inbox, request); err != nil {
		return nil, 0, err
	}
	var last uint64
	for {
		var (
			m   *nats.Msg
			err error
		)
		select {
		case m = <-answers:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
		header := func(name string) uint64 {
			n, bad := strconv.ParseUint(m.Header.Get(name), 10, 64)
			err = errors.Join(err, bad)
			return n
		}
		switch status := m.Header.Get("Status"); status {
		case "", "204":
			if previous := header("Nats-Last-Sequence"); err == nil && previous != last {
				err = nats.ErrTimeout // some were lost on the way
			}
			if status != "" {
				left = header("Nats-Num-Pending")
				return got, left, err
			}
			last = header("Nats-Sequence")
			got = append(got, message{m.Header.Get("Nats-Subject"), last, notNil(m.Data), m.Header.Get(opHeader) == opDelete})
			if err != nil {
				return nil, 0, err
			}
		case "404":
			return nil, 0, nil
		case "408", "412":
			return nil, 0, fmt.Errorf("%w: %s", errBadRequest, m.Header.Get("Description"))
		case "503":
			return nil, 0, nats.ErrNoResponders
		default:
			return nil, 0, fmt.Errorf("reading messages: %s %s", status, m.Header.Get("Description"))
		}
	}
}

func notNil(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// read reads messages from the number from on, at most limit. Unless it gets so many, it gets one with at least the number to,
// which the leader has.
func (s *stream) read(ctx context.Context, subject string, from, to uint64, limit int) ([]message, error) {
	var all []message
	for from <= to && len(all) < limit {
		got, left, err := s.batch(ctx, subject, from, min(limit-len(all), pageMessages))
		if err != nil {
			return nil, err
		}
		all = append(all, got...)
		if len(got) > 0 {
			from = got[len(got)-1].seq + 1
		}
		if left == 0 && from <= to && len(all) < limit {
			return nil, errLagging
		}
	}
	return all, nil
}

// last asks the leader for the number of a log's last message, 0 for none. A leader that does not know yet that there is
// another one is refused: it might not have what this node has passed on.
func (s *stream) last(ctx context.Context, token, subject string) (uint64, error) {
	last, err := s.edge(ctx, leaderRequest{LastFor: subject})
	if err != nil || last >= s.passed(token) {
		return last, err
	}
	info, err := s.info(ctx)
	if err == nil && info.State.LastSeq < s.passed(token) {
		err = errLagging
	}
	return last, err
}

func entries(messages []message) []rooms.Entry {
	list := make([]rooms.Entry, len(messages))
	for i, m := range messages {
		list[i] = rooms.Entry{Seq: m.seq, Data: m.data}
	}
	return list
}

func (b *backplane) After(ctx context.Context, log string, seq uint64, limit int) ([]rooms.Entry, error) {
	if err := rooms.CheckName(log); err != nil {
		return nil, err
	}
	subject := b.logs.subject(log)
	var got []message
	err := b.retry(ctx, "read a log", func(ctx context.Context) error {
		last, err := b.logs.last(ctx, encode(log), subject)
		if err != nil {
			return err
		}
		got, err = b.logs.read(ctx, subject, seq+1, last, limit)
		return err
	})
	return entries(got), err
}

func (b *backplane) Before(ctx context.Context, log string, seq uint64, limit int) ([]rooms.Entry, error) {
	if err := rooms.CheckName(log); err != nil {
		return nil, err
	}
	subject := b.logs.subject(log)
	var got []message
	err := b.retry(ctx, "read a log", func(ctx context.Context) error {
		last, err := b.logs.last(ctx, encode(log), subject)
		if err != nil || last == 0 {
			got = nil
			return err
		}
		end := seq
		if end == 0 || end > last {
			end = last + 1
		}
		got, err = b.logs.before(ctx, subject, end, last, limit)
		return err
	})
	return entries(got), err
}

// before reads the last messages before the number end, at most limit. JetStream reads forwards only. But it tells how many
// messages there are from a number on, so that a good place to begin is found by trying. last is at least end-1 or that of
// the log's last message.
func (s *stream) before(ctx context.Context, subject string, end, last uint64, limit int) ([]message, error) {
	var have []message
	upper := end // all from here on before end is in have
	// countFrom tells how many messages the log has from a number on.
	countFrom := func(from uint64) (uint64, error) {
		got, left, err := s.batch(ctx, subject, from, 1)
		return left + uint64(len(got)), err
	}
	after, err := countFrom(upper)
	if err != nil {
		return nil, err
	}
	width := uint64(limit)
	for len(have) < limit && upper > 1 {
		lower, need := upper-min(width, upper-1), uint64(limit-len(have))
		var n uint64
		for {
			if n, err = countFrom(lower); err != nil {
				return nil, err
			}
			if n <= after+4*need+16 || upper-lower <= need {
				break
			}
			lower += (upper - lower) / 2
		}
		// The messages are complete if they reach a message that is known to follow.
		known := min(last, end)
		if len(have) > 0 {
			known = have[0].seq
		}
		got, err := s.read(ctx, subject, lower, known, int(n-min(after, n))+1)
		if err != nil {
			return nil, err
		}
		if len(got) == 0 || got[len(got)-1].seq < known {
			return nil, errLagging
		}
		for len(got) > 0 && got[len(got)-1].seq >= upper {
			got = got[:len(got)-1]
		}
		have = append(got, have...)
		width, upper, after = 4*max(width, upper-lower), lower, n
	}
	return have[max(0, len(have)-limit):], nil
}
