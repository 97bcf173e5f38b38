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
	pre, mid, post []byte   // around the id and the value
	forms          [][]byte // of the values, by kind, once one has been found right; nil if each call has its own
	want           []byte   // scratch
	slow           int64    // answers that were taken apart
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
	want := a.form(id)
	return want != nil && len(rest) == len(a.mid)+len(want)+len(a.post) && bytes.HasPrefix(rest, a.mid) &&
		bytes.HasSuffix(rest, a.post) && bytes.Equal(rest[len(a.mid):len(a.mid)+len(want)], want)
}

// form is how the value of a call looks, or nil if that is not known yet.
func (a *answers) form(id uint64) []byte {
	if kinds := a.work.Kinds; kinds > 0 {
		return a.forms[id%uint64(kinds)]
	}
	a.want = a.work.Result(a.want[:0], id)
	return a.want
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

// learn remembers an answer that is right: what surrounds its id and its value, and how the value is written if others
// are equal to it. Where each call has a value of its own, a server that writes it in another way than Work is not learned.
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
	a.learned = false
	switch kinds := a.work.Kinds; {
	case kinds > 0:
		if a.forms == nil {
			a.forms = make([][]byte, kinds)
		}
		a.forms[id%uint64(kinds)] = bytes.Clone(value)
	case !bytes.Equal(value, a.work.Result(nil, id)):
		return
	}
	a.pre, a.mid, a.post = bytes.Clone(msg[:i]), bytes.Clone(after[:v]), bytes.Clone(after[v+len(value):])
	a.learned = true
}
