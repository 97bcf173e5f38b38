package replay

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// idPairs maps the identifiers of the recording to those that the channel under test made up instead, one to one.
type idPairs struct {
	actual, recorded map[string]string
	controls         map[string]bool // recorded ids of stream controls, which are answered; other stream data has ids that nobody reads
}

func newIDPairs(r *recording) *idPairs {
	p := &idPairs{map[string]string{}, map[string]string{}, map[string]bool{}}
	for _, f := range r.frames {
		if m, ok := parseMessage(f.text); ok && m.kind() == "sq" {
			p.controls[m.body.get("id").str()] = true
		}
	}
	return p
}

func (p *idPairs) pair(recorded, actual string) error {
	a, known := p.actual[recorded]
	r, taken := p.recorded[actual]
	if known != taken || known && (a != actual || r != recorded) {
		return fmt.Errorf("id %q stands for %q, but was seen as %q", recorded, actual, a)
	}
	p.actual[recorded], p.recorded[actual] = actual, recorded
	return nil
}

// toActual rewrites what the recorded peer sent so that it speaks of the identifiers of the channel under test.
// Recorded identifiers are long and random, so plain replacement hits nothing else.
func (p *idPairs) toActual(text string) string {
	for recorded, actual := range p.actual {
		if len(recorded) > 8 { // the others are data that looks like an identifier
			text = strings.ReplaceAll(text, recorded, actual)
		}
	}
	return text
}

// toRecorded renames the identifiers that the channel under test made up and put into m.
func (p *idPairs) toRecorded(m message) {
	rename := func(n *node, prefix string) {
		if n == nil {
			return
		}
		if id, ok := strings.CutPrefix(n.text, prefix); ok && n.kind == '"' {
			if recorded, ok := p.recorded[id]; ok {
				n.text = prefix + recorded
			}
		}
	}
	switch m.kind() {
	case "request", "sq", "stream-cancel":
		rename(m.body.get("id"), "")
	case "sr":
		rename(m.body.get("sid"), "")
		rename(m.body.at("e", "m"), unknownStream)
	}
	for _, n := range m.streams() {
		rename(n, "")
	}
	if m.kind() != "request" && m.kind() != "callback" {
		return // what else has an identifier has one of the peer's
	}
	for _, arg := range m.args() {
		if _, ok := m.callbackID(arg); ok && m.classic {
			rename(arg, classicPrefix)
		} else if ok {
			rename(arg.get("id"), "")
		}
	}
	for _, id := range m.body.get(callbackIDsKey).array() {
		rename(id, "")
	}
}

// message is one frame or line taken apart.
type message struct {
	body      *node // the message itself, without a SuperJSON envelope
	meta      *node
	classic   bool
	superJSON bool
}

// parseMessage reads what one side wrote. ok is false for text that is no message, such as __DESTROY__.
func parseMessage(text string) (m message, ok bool) {
	n, err := parseJSON(strings.TrimRight(text, "\n"))
	if err != nil || n.kind != '{' {
		return m, false
	}
	m.body = n
	if body := n.get("json"); body != nil && n.get("type") == nil && n.get("t") == nil {
		m.body, m.meta, m.superJSON = body, n.get("meta"), true
	}
	m.classic = m.body.get("type") != nil
	return m, m.classic || m.body.get("t") != nil
}

// kind is request, response, callback or release; streams and the rest are their own names.
func (m message) kind() string {
	if m.classic {
		switch k := m.body.get("type").str(); k {
		case "get", "set", "construct":
			return "request"
		default:
			return k
		}
	}
	switch t := m.body.get("t").str(); t {
	case "q":
		return "request"
	case "r":
		return "response"
	case "cb":
		return "callback"
	case "cbr":
		return "release"
	default:
		return t
	}
}

// id is the identifier as it is written, "" if there is none.
func (m message) id() string {
	if m.meta.at("values", "id") != nil {
		return "" // undefined
	}
	return m.body.get("id").json()
}

func (m message) args() []*node {
	if m.classic {
		return m.body.get("args").array()
	}
	return m.body.get("a").array()
}

const (
	compactArg     = "__kkrpc_next_arg__"
	classicPrefix  = "__callback__"
	compactRef     = "__kkrpc_ref__"
	compactStream  = "__kkrpc_next_stream__"
	unknownStream  = "Unknown RPC stream "
	transferSlots  = "transferSlots"
	callbackIDsKey = "callbackIds"
)

// callbackID is the id of a callback argument; ok is false for any other argument.
func (m message) callbackID(arg *node) (id string, ok bool) {
	if m.classic {
		id, ok = strings.CutPrefix(arg.str(), classicPrefix)
		listed := slices.ContainsFunc(m.body.get(callbackIDsKey).array(), func(n *node) bool { return n.str() == id })
		return id, ok && listed // else it is a string that looks like one
	}
	return arg.get("id").str(), arg.get(compactArg).str() == "callback"
}

// streams are the ids of the streams that m introduces, in order. A classic stream has the id of its request.
func (m message) streams() (ids []*node) {
	add := func(n *node) {
		if id := n.get("id").str(); n.get(compactStream).str() == "async-iterable" && (len(id) > 8 || ours(id)) { // else it is data that looks like one
			ids = append(ids, n.get("id"))
		}
	}
	switch m.body.get("t").str() {
	case "q":
		for _, arg := range m.args() {
			if arg.get(compactArg).str() == "value" {
				arg = arg.get("v")
			}
			add(arg)
		}
		add(m.body.get("v"))
	case "r":
		add(m.body.get("v"))
	}
	return ids
}

// ours reports whether the channel under test made up id, which is shorter than those of the originals.
func ours(id string) bool {
	return len(id) > 1 && id[0] == 's' && strings.Trim(id[1:], "0123456789") == ""
}

// opensStream reports whether m is a response whose result is a stream.
func (m message) opensStream() bool {
	if m.classic {
		return m.kind() == "response" && m.body.at("args", "result", "__stream") != nil
	}
	return m.kind() == "response" && len(m.streams()) > 0
}

// pairIDs learns the identifiers that actual introduces where recorded introduced its own.
func pairIDs(ids *idPairs, recorded, actual message) error {
	if recorded.kind() != actual.kind() || recorded.classic != actual.classic {
		return fmt.Errorf("a %s, not a %s", actual.kind(), recorded.kind())
	}
	if kind := recorded.kind(); kind == "request" || kind == "sq" {
		if err := ids.pair(recorded.body.get("id").str(), actual.body.get("id").str()); err != nil {
			return err
		}
	}
	if theirs, ours := recorded.streams(), actual.streams(); len(theirs) == len(ours) {
		for i, id := range theirs {
			if err := ids.pair(id.str(), ours[i].str()); err != nil {
				return err
			}
		}
	}
	if recorded.kind() != "request" && recorded.kind() != "callback" {
		return nil
	}
	for i, arg := range recorded.args() {
		id, ok := recorded.callbackID(arg)
		if !ok || i >= len(actual.args()) {
			continue
		}
		if other, ok := actual.callbackID(actual.args()[i]); ok {
			if err := ids.pair(id, other); err != nil {
				return err
			}
		}
	}
	return nil
}

// normalize removes what is compared in no message: stacks, and members that say undefined and may as well be absent.
// Arguments of the remote-references channel are put into the envelopes in which every other channel writes them, but for
// those of requests on references.
func (m *message) normalize() {
	values := m.meta.get("values")
	drop := func(parent *node, key, path string) {
		parent.remove(key)
		values.remove(path)
	}
	if m.classic {
		for _, key := range []string{"id", transferSlots, callbackIDsKey} {
			if v := m.body.get(key); v != nil && v.kind == 'n' {
				drop(m.body, key, key)
			}
		}
		drop(m.body.at("args", "error"), "stack", "args.error.stack")
		if m.kind() == "stream-chunk" && m.undefined("args.value") {
			drop(m.body.get("args"), "value", "args.value")
		}
		if id := m.body.get("id"); m.kind() == "callback" && id.str() != "" {
			id.text = "" // nobody looks at it
		}
	} else {
		e := m.body.get("e")
		if s := e.get("s"); s != nil && (s.str() == "<stack>" || s.kind == 'n') {
			drop(e, "s", "e.s")
		}
		if kind := m.kind(); (kind == "sq" || kind == "sr") && m.undefined("v") {
			drop(m.body, "v", "v")
		}
		for i, arg := range m.body.get("a").array() {
			if arg.get(compactArg) == nil && m.body.get("op").str() != "ref" {
				m.body.get("a").items[i] = &node{kind: '{', keys: []string{compactArg, "v"}, items: []*node{{kind: '"', text: "value"}, arg}}
				m.reroot(fmt.Sprintf("a.%d", i), fmt.Sprintf("a.%d.v", i))
			}
		}
	}
	if m.meta != nil && len(values.arrayOrObject()) == 0 && m.meta.get("referentialEqualities") == nil {
		m.meta = nil
	}
}

// dropUndefined removes values that are undefined where r has none. JavaScript writes a function or a symbol so, which
// an encoder that has no such values cannot mean; the receiver sees undefined either way.
func (m *message) dropUndefined(r message) {
	drop := func(parent, want *node, key, path string) {
		if note := m.meta.at("values", path); note != nil && note.json() == `["undefined"]` && want.get(key) == nil {
			parent.remove(key)
			m.meta.get("values").remove(path)
		}
	}
	if m.classic {
		drop(m.body.get("args"), r.body.get("args"), "result", "args.result")
		drop(m.body, r.body, "value", "value")
		return
	}
	drop(m.body, r.body, "v", "v")
	for i, arg := range m.args() {
		if i < len(r.args()) {
			drop(arg, r.args()[i], "v", fmt.Sprintf("a.%d.v", i))
		}
	}
}

// undefined reports whether what stands at path is annotated as such.
func (m *message) undefined(path string) bool {
	return m.meta.at("values", path).json() == `["undefined"]`
}

func (n *node) arrayOrObject() []*node {
	if n == nil {
		return nil
	}
	return n.items
}

// reroot moves annotations from one path to another.
func (m *message) reroot(from, to string) {
	values := m.meta.get("values")
	if values == nil {
		return
	}
	for i, key := range values.keys {
		if rest, ok := strings.CutPrefix(key, from); ok && (rest == "" || rest[0] == '.') {
			values.keys[i] = to + rest
		}
	}
}

// sameFrame compares what the channel wrote with the recorded frame. The message keeps the order of its members; below
// it order is free, because Go maps are written sorted.
func sameFrame(ids *idPairs, recorded, actual string) error {
	r, ok := parseMessage(recorded)
	if !ok {
		if recorded != actual {
			return fmt.Errorf("got %s, want %s", actual, recorded)
		}
		return nil
	}
	a, ok := parseMessage(actual)
	if !ok {
		return fmt.Errorf("not a message: %s", actual)
	}
	if r.classic != strings.HasSuffix(actual, "\n") {
		return fmt.Errorf("framing of %q", actual)
	}
	if err := pairIDs(ids, r, a); err != nil {
		return fmt.Errorf("%w: got %s, want %s", err, actual, recorded)
	}
	ids.toRecorded(a)
	if r.kind() == "sr" && !ids.controls[r.body.get("id").str()] && a.body.get("id").str() != "" {
		a.body.set("id", r.body.get("id"))
	}
	r.normalize()
	a.dropUndefined(r)
	a.normalize()
	if err := pairRefs(ids, r.body, a.body); err != nil {
		return fmt.Errorf("%w: got %s, want %s", err, actual, recorded)
	}
	ids.renameRefs(a.body)
	if !slices.Equal(r.body.keys, a.body.keys) {
		return fmt.Errorf("members %v, want %v: got %s, want %s", a.body.keys, r.body.keys, actual, recorded)
	}
	if err := sameNode("", r.body, a.body); err != nil {
		return fmt.Errorf("%w: got %s, want %s", err, actual, recorded)
	}
	if err := sameMeta(r.meta, a.meta); err != nil {
		return fmt.Errorf("%w: got %s, want %s", err, actual, recorded)
	}
	return nil
}

// sameEnd reports whether both frames end the same stream, in whatever way, and neither answers a control.
func sameEnd(ids *idPairs, recorded, actual string) bool {
	r, _ := parseMessage(recorded)
	a, _ := parseMessage(actual)
	ids.toRecorded(a)
	return r.kind() == "sr" && a.kind() == "sr" && !ids.controls[r.body.get("id").str()] && r.finished() && a.finished() && r.body.get("sid").str() == a.body.get("sid").str()
}

func sameNode(path string, want, got *node) error {
	switch {
	case want == nil && got == nil:
		return nil
	case want == nil || got == nil || want.kind != got.kind || len(want.items) != len(got.items):
	case want.kind == '{':
		for i, key := range want.keys {
			if err := sameNode(path+"."+key, want.items[i], got.get(key)); err != nil {
				return err
			}
		}
		return nil
	case want.kind == '[':
		for i := range want.items {
			if err := sameNode(fmt.Sprintf("%s[%d]", path, i), want.items[i], got.items[i]); err != nil {
				return err
			}
		}
		return nil
	case want.text == got.text || sameDescription(want.text, got.text):
		return nil
	}
	return fmt.Errorf("at %s: %s, want %s", path, got.json(), want.json())
}

// sameDescription compares the answers of see, which are JSON inside a string.
func sameDescription(want, got string) bool {
	if !strings.HasPrefix(want, "{") && !strings.HasPrefix(want, "[") {
		return false
	}
	w, err := parseJSON(want)
	if err != nil {
		return false
	}
	g, err := parseJSON(got)
	return err == nil && sameNode("", comparable(w), comparable(g)) == nil
}

// sameMeta compares annotations without regard to order, and shared references as sets of paths.
func sameMeta(want, got *node) error {
	if (want == nil) != (got == nil) {
		return fmt.Errorf("meta %s, want %s", got.json(), want.json())
	}
	if want == nil {
		return nil
	}
	for _, key := range []string{"v", "values"} {
		if err := sameNode("meta."+key, want.get(key), got.get(key)); err != nil {
			return err
		}
	}
	w, g := sharedPaths(want.get("referentialEqualities")), sharedPaths(got.get("referentialEqualities"))
	if !slices.Equal(w, g) {
		return fmt.Errorf("shared references %q, want %q", g, w)
	}
	return nil
}

func sharedPaths(n *node) []string {
	var groups []string
	if n == nil {
		return nil
	}
	if n.kind == '[' {
		groups = append(groups, group("", n.items[0].items))
		if len(n.items) < 2 {
			return groups
		}
		n = n.items[1]
	}
	for i, key := range n.keys {
		groups = append(groups, group(key, n.items[i].items))
	}
	sort.Strings(groups)
	return groups
}

func group(first string, others []*node) string {
	paths := []string{first}
	for _, o := range others {
		paths = append(paths, o.str())
	}
	sort.Strings(paths)
	return strings.Join(paths, " = ")
}
