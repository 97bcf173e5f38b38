package replay

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// node is a JSON value as JavaScript wrote it: members in order, number literals untouched, lone surrogates kept (as
// three bytes that are no valid UTF-8). It is a reader of its own, so that the code under test does not judge itself.
type node struct {
	kind  byte // one of n(ull) t(rue) f(alse) 0 " [ {
	text  string
	items []*node
	keys  []string
}

func parseJSON(text string) (*node, error) {
	p := &parser{text: text}
	n, err := p.value()
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(text) {
		return nil, fmt.Errorf("trailing text at %d", p.at)
	}
	return n, nil
}

type parser struct {
	text string
	at   int
}

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

func (p *parser) take(s string) bool {
	p.space()
	if !strings.HasPrefix(p.text[p.at:], s) {
		return false
	}
	p.at += len(s)
	return true
}

func (p *parser) value() (*node, error) {
	p.space()
	switch {
	case p.take("null"):
		return &node{kind: 'n'}, nil
	case p.take("true"):
		return &node{kind: 't'}, nil
	case p.take("false"):
		return &node{kind: 'f'}, nil
	case p.take(`"`):
		s, err := p.rest()
		return &node{kind: '"', text: s}, err
	case p.take("["):
		return p.array()
	case p.take("{"):
		return p.object()
	}
	start := p.at
	for p.at < len(p.text) && strings.IndexByte("+-.0123456789eE", p.text[p.at]) >= 0 {
		p.at++
	}
	literal := p.text[start:p.at]
	if _, err := strconv.ParseFloat(literal, 64); err != nil && !strings.Contains(err.Error(), "range") {
		return nil, fmt.Errorf("no value at %d", start)
	}
	return &node{kind: '0', text: literal}, nil
}

func (p *parser) array() (*node, error) {
	n := &node{kind: '['}
	if p.take("]") {
		return n, nil
	}
	for {
		item, err := p.value()
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
		if p.take("]") {
			return n, nil
		}
		if !p.take(",") {
			return nil, fmt.Errorf("no , at %d", p.at)
		}
	}
}

func (p *parser) object() (*node, error) {
	n := &node{kind: '{'}
	if p.take("}") {
		return n, nil
	}
	for {
		if !p.take(`"`) {
			return nil, fmt.Errorf("no key at %d", p.at)
		}
		key, err := p.rest()
		if err != nil {
			return nil, err
		}
		if !p.take(":") {
			return nil, fmt.Errorf("no : at %d", p.at)
		}
		item, err := p.value()
		if err != nil {
			return nil, err
		}
		n.set(key, item)
		if p.take("}") {
			return n, nil
		}
		if !p.take(",") {
			return nil, fmt.Errorf("no , at %d", p.at)
		}
	}
}

// rest reads a string behind its opening quote.
func (p *parser) rest() (string, error) {
	var b []byte
	var high uint32 // a surrogate that may have a partner
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		if c == '"' {
			return string(b), nil
		}
		if c != '\\' {
			b, high = append(b, c), 0
			continue
		}
		if p.at == len(p.text) {
			break
		}
		c = p.text[p.at]
		p.at++
		if c != 'u' {
			i := strings.IndexByte(`"\/bfnrt`, c)
			if i < 0 {
				return "", fmt.Errorf("bad escape at %d", p.at)
			}
			b, high = append(b, "\"\\/\b\f\n\r\t"[i]), 0
			continue
		}
		if p.at+4 > len(p.text) {
			break
		}
		u, err := strconv.ParseUint(p.text[p.at:p.at+4], 16, 16)
		if err != nil {
			return "", err
		}
		p.at += 4
		unit := uint32(u)
		switch {
		case high != 0 && unit>>10 == 0xdc00>>10:
			b, high = utf8.AppendRune(b[:len(b)-3], rune((high-0xd800)<<10|(unit-0xdc00)+0x10000)), 0
		case unit>>11 == 0xd800>>11:
			b = append(b, 0xe0|byte(unit>>12), 0x80|byte(unit>>6&0x3f), 0x80|byte(unit&0x3f))
			high = 0
			if unit>>10 == 0xd800>>10 {
				high = unit
			}
		default:
			b, high = utf8.AppendRune(b, rune(unit)), 0
		}
	}
	return "", fmt.Errorf("unfinished string")
}

// get returns the member, or nil.
func (n *node) get(key string) *node {
	if n != nil && n.kind == '{' {
		for i, k := range n.keys {
			if k == key {
				return n.items[i]
			}
		}
	}
	return nil
}

// at follows keys from n; nil when one is missing.
func (n *node) at(keys ...string) *node {
	for _, k := range keys {
		n = n.get(k)
	}
	return n
}

func (n *node) set(key string, v *node) {
	for i, k := range n.keys {
		if k == key {
			n.items[i] = v
			return
		}
	}
	n.keys, n.items = append(n.keys, key), append(n.items, v)
}

func (n *node) remove(key string) {
	if n == nil {
		return
	}
	for i, k := range n.keys {
		if k == key {
			n.keys = append(n.keys[:i:i], n.keys[i+1:]...)
			n.items = append(n.items[:i:i], n.items[i+1:]...)
			return
		}
	}
}

// str is the text of a string, or "".
func (n *node) str() string {
	if n == nil || n.kind != '"' {
		return ""
	}
	return n.text
}

func (n *node) array() []*node {
	if n == nil || n.kind != '[' {
		return nil
	}
	return n.items
}

// json writes n as JSON.stringify does.
func (n *node) json() string {
	if n == nil {
		return ""
	}
	switch n.kind {
	case 'n':
		return "null"
	case 't':
		return "true"
	case 'f':
		return "false"
	case '0':
		return n.text
	case '"':
		return quote(n.text)
	}
	var b strings.Builder
	b.WriteByte(n.kind)
	for i, item := range n.items {
		if i > 0 {
			b.WriteByte(',')
		}
		if n.kind == '{' {
			b.WriteString(quote(n.keys[i]) + ":")
		}
		b.WriteString(item.json())
	}
	b.WriteByte(n.kind + 2) // ] and } follow [ and { at this distance
	return b.String()
}

func quote(s string) string {
	b := []byte{'"'}
	for i := 0; i < len(s); i++ {
		c := s[i]
		short := strings.IndexByte("\"\\\b\f\n\r\t", c)
		switch {
		case short >= 0:
			b = append(b, '\\', `"\bfnrt`[short])
		case c < 0x20:
			b = fmt.Appendf(b, `\u%04x`, c)
		case c == 0xed && i+2 < len(s) && s[i+1] >= 0xa0:
			b = fmt.Appendf(b, `\u%04x`, uint32(c&0xf)<<12|uint32(s[i+1]&0x3f)<<6|uint32(s[i+2]&0x3f))
			i += 2
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}

// clone copies n so that a copy can be edited.
func (n *node) clone() *node {
	if n == nil {
		return nil
	}
	c := *n
	c.keys = append([]string(nil), n.keys...)
	c.items = make([]*node, len(n.items))
	for i, item := range n.items {
		c.items[i] = item.clone()
	}
	return &c
}
