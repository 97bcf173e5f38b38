package kknats

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kkrpc-go/kkrpc/rooms"
)

const (
	idHeader  = "Nats-Msg-Id"
	ttlHeader = "Nats-TTL"
	// opHeader marks the deletion of a key. An empty message without it is a value. It is that of NATS's own tables.
	opHeader = "KV-Operation"
	opDelete = "DEL"

	// perMessage is how many bytes the servers and this package add to a message, at most: the subject and the headers.
	perMessage = 2 << 10
)

var errFull = errors.New("the tables have as many bytes as they may (Options.TableBytes)")

func (b *backplane) Append(ctx context.Context, log, id string, data []byte) (uint64, error) {
	if err := rooms.CheckName(log); err != nil {
		return 0, err
	}
	m := &nats.Msg{Subject: b.logs.subject(log), Data: data, Header: nats.Header{}}
	if id != "" {
		id = messageID(m.Subject, id)
	}
	return b.store(ctx, "append", m, id)
}

func (b *backplane) Put(ctx context.Context, table, key string, value []byte) error {
	if err := errors.Join(rooms.CheckName(table), rooms.CheckName(key)); err != nil {
		return err
	}
	m := &nats.Msg{Subject: b.tables.subject(table) + "." + encode(key), Data: value, Header: nats.Header{}}
	if value == nil {
		m.Header.Set(opHeader, opDelete)
		m.Header.Set(ttlHeader, strconv.Itoa(int((b.tables.deleted()+time.Second-1)/time.Second))+"s")
	}
	_, err := b.store(ctx, "put", m, "")
	if value == nil && errors.Is(err, errFull) {
		// A deletion takes room, too, until it is forgotten.
		err = b.retry(ctx, "put", func(ctx context.Context) error {
			return b.tables.handle.Purge(ctx, jetstream.WithPurgeSubject(m.Subject))
		})
		if err == nil {
			_, err = b.store(ctx, "put", m, "")
		}
	}
	return err
}

// store stores a message once, however often it has to be sent.
func (b *backplane) store(ctx context.Context, what string, m *nats.Msg, id string) (seq uint64, err error) {
	if most := int(b.nc.MaxPayload()) - perMessage; len(m.Data) > most {
		return 0, fmt.Errorf("%w: it has %d bytes, and the servers take at most %d (max_payload)", rooms.ErrTooLarge, len(m.Data), most)
	}
	if id == "" {
		id = rand.Text()
	}
	m.Header.Set(idHeader, id)
	ctx, cancel := bounded(ctx, b.opts.Timeout)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, b.logs.duplicates()/2) // later, JetStream might not know the id any more
	defer cancel()
	err = b.retry(ctx, what, func(ctx context.Context) error {
		ack, err := b.js.PublishMsg(ctx, m, jetstream.WithRetryAttempts(0))
		switch {
		case err == nil:
			seq = ack.Sequence
			return nil
		case strings.Contains(err.Error(), "maximum bytes exceeded"):
			return errFull
		}
		return err
	})
	return seq, err
}
