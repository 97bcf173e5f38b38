package load

import (
	"bytes"
	"fmt"
)

// answers checks answers. The first is taken apart and checked as JSON; the others differ from it in the id and the
// value, so they are compared with what it would look like for their call. One that differs in more is taken apart too.
type answers struct {
	dialect Dialect
	work    *Work

	learned        bool
	pre, mid, post []byte // around the id and the value
	constant       bool   // mid has the value, which is always the same
	want           []byte // scratch
	slow           int64  // answers that were taken apart
}

// check returns which call msg answers, or what is wrong with it.
func (a *answers) check(msg []byte) (uint64, error) {
	if a.learned && bytes.HasPrefix(msg, a.pre) {
		rest := msg[len(a.pre):]
		if end := bytes.IndexByte(rest, a.mid[0]); end > 0 {
			id, ok := a.dialect.ID(rest[:end])
			if ok && a.equal(rest[end:], id) {
				return id, nil
			}
		}
	}
	return a.parse(msg)
}

func (a *answers) equal(rest []byte, id uint64) bool {
	if !bytes.HasPrefix(rest, a.mid) || !bytes.HasSuffix(rest, a.post) {
		return false
	}
	if a.constant {
		return len(rest) == len(a.mid)
	}
	a.want = a.work.Result(a.want[:0], id)
	return len(rest) == len(a.mid)+len(a.want)+len(a.post) && bytes.Equal(rest[len(a.mid):len(a.mid)+len(a.want)], a.want)
}

func (a *answers) parse(msg []byte) (uint64, error) {
	a.slow++
	text, value, err := a.dialect.Parse(msg)
	if err != nil {
		return 0, err
	}
	id, ok := a.dialect.ID(text)
	if !ok {
		return 0, fmt.Errorf("an answer with an id that no call has: %.200s", msg)
	}
	if err := a.work.check(value, id); err != nil {
		return 0, err
	}
	// Again each time: the first might have had an id that is also somewhere else in it.
	a.learn(msg, text, value, id)
	return id, nil
}

// learn remembers what surrounds the id and the value of an answer that is right. A value that Work would write in
// another way is only remembered if it never changes.
func (a *answers) learn(msg, text, value []byte, id uint64) {
	i := bytes.Index(msg, text)
	if i < 0 {
		return
	}
	after := msg[i+len(text):]
	v := bytes.Index(after, value)
	if v <= 0 {
		return
	}
	a.learned, a.constant, a.post = false, false, nil
	a.pre = bytes.Clone(msg[:i])
	switch {
	case a.work.Verify != nil:
		a.constant, a.mid = true, bytes.Clone(after)
	case bytes.Equal(value, a.work.Result(nil, id)):
		a.mid, a.post = bytes.Clone(after[:v]), bytes.Clone(after[v+len(value):])
	default:
		return
	}
	a.learned = true
}
