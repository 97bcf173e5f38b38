package superjson

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxMetaDepth = 64   // annotations inside annotations
	maxDepth     = 1000 // arrays and objects inside one another
	minSegments  = 1024 // of paths, beside one for every two bytes of their text
)

// ParseMeta reads the meta member of an envelope. It refuses annotations of unknown types, paths through __proto__,
// prototype and constructor, invalid escapes, and annotations nested deeper than 64. A *DataError says why, and its Path
// says where. ParseMeta ignores everything else that the JavaScript library ignores. Without "v", paths have the escaping
// of superjson before path version 1. The result is nil when raw has no annotations.
func ParseMeta(raw []byte) (*Meta, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	p := metaParser{legacy: true, nodes: maxSegments(raw)}
	var values, equalities []byte
	dec := newDecoder(raw)
	if dec.PeekKind() != '{' {
		if err := dec.SkipValue(); err != nil {
			return nil, malformed(err)
		}
		return nil, atEnd(dec, raw)
	}
	err := eachMember(dec, func(name string) error {
		value, err := dec.ReadValue()
		if err != nil {
			return malformed(err)
		}
		switch name {
		case "values":
			values = raw[dec.InputOffset()-int64(len(value)) : dec.InputOffset()]
		case "referentialEqualities":
			equalities = raw[dec.InputOffset()-int64(len(value)) : dec.InputOffset()]
		case "v":
			p.legacy = legacyVersion(value)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := atEnd(dec, raw); err != nil {
		return nil, err
	}
	root := &node{annotation: unannotated}
	if values != nil {
		if err := p.tree(newDecoder(values), root, 0); err != nil {
			return nil, err
		}
	}
	if root.typ == "" && root.first == nil {
		root = nil
	}
	made := maxSegments(raw) - p.nodes
	var equal [][]path
	if equalities != nil {
		p.nodes = maxSegments(raw)
		if equal, err = p.equalities(newDecoder(equalities)); err != nil {
			return nil, err
		}
		made += maxSegments(raw) - p.nodes
	}
	q := newEqualities(equal)
	m := newMeta(root, q, q.whole(), nil)
	if m != nil {
		m.cost = placeCost * made
	}
	return m, nil
}

// maxSegments is how many segments the paths in metadata may have, for values and for equalities each.
func maxSegments(raw []byte) int { return minSegments + len(raw)/2 }

// placeCost is about what a place in metadata takes in bytes.
const placeCost = 48

func legacyVersion(v jsontext.Value) bool {
	switch v.Kind() {
	case 'n', 'f':
		return true
	case '0':
		f, err := strconv.ParseFloat(string(v), 64)
		return err == nil && f < 1
	}
	return false
}

type metaParser struct {
	legacy bool
	nodes  int // how many more nodes may be made, or segments kept: a path of empty segments must not demand much memory
}

// tree reads an annotation tree that describes n.
func (p *metaParser) tree(dec *jsontext.Decoder, n *node, depth int) error {
	if depth > maxMetaDepth {
		return metaError("annotations are nested too deep")
	}
	switch dec.PeekKind() {
	case '{':
		return eachMember(dec, func(name string) error {
			segments, err := parsePath(name, p.legacy)
			if err != nil {
				return err
			}
			at := n
			for _, key := range segments {
				next := at.child(key)
				if next == nil {
					if p.nodes--; p.nodes < 0 {
						return metaError("too many path segments")
					}
					next = at.add(key)
				}
				at = next
			}
			if err = p.tree(dec, at, depth+1); err != nil {
				err = atPath(err, segments)
			}
			return err
		})
	case '[':
		return p.annotation(dec, n, depth)
	case '"':
		if s, err := dec.ReadToken(); err != nil {
			return malformed(err)
		} else if s.String() != "" {
			return metaError("an annotation is a string")
		}
		return nil
	}
	if err := dec.SkipValue(); err != nil { // numbers, booleans and null say nothing
		return malformed(err)
	}
	return nil
}

// annotation reads [type] or [type, {path: tree}].
func (p *metaParser) annotation(dec *jsontext.Decoder, n *node, depth int) error {
	position := 0
	err := eachElement(dec, func() error {
		position++
		switch position {
		case 1:
			return p.annotationType(dec, n)
		case 2:
			if dec.PeekKind() == '[' {
				return metaError("the inner annotations are not an object")
			}
			return p.tree(dec, n, depth+1)
		}
		return dec.SkipValue()
	})
	if err == nil && position == 0 {
		err = metaError("an annotation without a type")
	}
	return err
}

func (p *metaParser) annotationType(dec *jsontext.Decoder, n *node) error {
	var names []string
	read := func() error {
		if dec.PeekKind() != '"' {
			names = append(names, "")
			return dec.SkipValue()
		}
		name, err := dec.ReadToken()
		if err != nil {
			return malformed(err)
		}
		names = append(names, name.String())
		return nil
	}
	composite := dec.PeekKind() == '['
	var err error
	if composite {
		err = eachElement(dec, read)
	} else {
		err = read()
	}
	if err != nil {
		return err
	}
	switch {
	case composite && len(names) == 2 && names[0] == "typed-array":
		if known := annotations[names[1]]; known != nil && known.arg != "" {
			n.annotation = known
			return nil
		}
	case !composite:
		if known := annotations[names[0]]; known != nil && known.arg == "" {
			n.annotation = known
			return nil
		}
	}
	return unknownAnnotation(names)
}

// unknownAnnotation is the error for an annotation of a newer library, or one that the peer has registered.
func unknownAnnotation(names []string) error {
	text := "unknown annotation"
	for _, name := range names[:min(len(names), 2)] {
		if name != "" {
			text += " " + strconv.Quote(shortPath(name))
		}
	}
	return metaError(text)
}

// equalities reads {path: [paths]}, or [[paths equal to the root], {path: [paths]}].
func (p *metaParser) equalities(dec *jsontext.Decoder) ([][]path, error) {
	var groups [][]path
	object := func() error {
		return eachMember(dec, func(name string) error {
			first, err := parsePath(name, p.legacy)
			if err != nil {
				return err
			}
			group, err := p.paths(dec, first)
			groups = append(groups, group)
			return err
		})
	}
	switch dec.PeekKind() {
	case '{':
		err := object()
		return groups, err
	case '[':
		position := 0
		err := eachElement(dec, func() error {
			position++
			switch {
			case position == 1:
				group, err := p.paths(dec, path{})
				groups = append(groups, group)
				return err
			case position == 2 && dec.PeekKind() == '{':
				return object()
			}
			return dec.SkipValue()
		})
		return groups, err
	}
	return nil, nil
}

func (p *metaParser) paths(dec *jsontext.Decoder, first path) ([]path, error) {
	if dec.PeekKind() != '[' {
		return nil, metaError("equal paths are not an array")
	}
	group := []path{first}
	if p.nodes -= len(first); p.nodes < 0 {
		return nil, metaError("too many path segments")
	}
	err := eachElement(dec, func() error {
		name, err := dec.ReadToken()
		if err != nil {
			return malformed(err)
		}
		if name.Kind() != '"' {
			return metaError("a path is not a string")
		}
		segments, err := parsePath(name.String(), p.legacy)
		if err != nil {
			return err
		}
		if p.nodes -= len(segments); p.nodes < 0 {
			return metaError("too many path segments")
		}
		group = append(group, segments)
		return nil
	})
	return group, err
}

func metaError(reason string) error { return &DataError{Reason: "metadata: " + reason} }

func malformed(err error) error { return &DataError{Reason: "malformed JSON: " + err.Error()} }

var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

func newDecoder(raw []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(raw), lenient...)
}

func atEnd(dec *jsontext.Decoder, raw []byte) error {
	if len(bytes.TrimLeft(raw[dec.InputOffset():], " \t\r\n")) > 0 {
		return &DataError{Reason: "malformed JSON: more than one value"}
	}
	return nil
}

// eachMember reads an object and calls value at the value of each member, which it must read.
func eachMember(dec *jsontext.Decoder, value func(name string) error) error {
	if _, err := dec.ReadToken(); err != nil {
		return malformed(err)
	}
	for {
		name, err := dec.ReadToken()
		if err != nil {
			return malformed(err)
		}
		if name.Kind() == '}' {
			return nil
		}
		if err := value(name.String()); err != nil {
			return err
		}
	}
}

// eachElement reads an array and calls element at each, which it must read.
func eachElement(dec *jsontext.Decoder, element func() error) error {
	if _, err := dec.ReadToken(); err != nil {
		return malformed(err)
	}
	for dec.PeekKind() != ']' {
		if dec.PeekKind() == 0 {
			_, err := dec.ReadToken()
			return malformed(err)
		}
		if err := element(); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}
