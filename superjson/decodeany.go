package superjson

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// anyTree decodes the next value as the annotations say and restores its shared objects.
func (d *decoder) anyTree(n *node) (any, error) {
	if d.here.empty() {
		return d.any(n)
	}
	groups, err := d.equal.inside(d.here, d.counted())
	if err != nil {
		return nil, err
	}
	start := d.dec.InputOffset()
	v, err := d.any(n)
	if err == nil && groups != nil {
		v, err = share(v, groups, d.dec.InputOffset()-start)
	}
	d.settle()
	return v, err
}

// settler is a *Map or a *Set.
type settler interface{ settle() }

// settle completes the Maps and Sets of a tree. Before it is shared, null stands for an object of which they are a part.
func (d *decoder) settle() {
	for _, c := range d.unsettled {
		c.settle()
	}
	clear(d.unsettled)
	d.unsettled = d.unsettled[:0]
}

func (d *decoder) any(n *node) (any, error) {
	v, err := d.plain(n)
	if err != nil || n.kind() == "" {
		return v, err
	}
	if err := d.spend(revivedCost(v, n)); err != nil {
		return nil, err
	}
	if v, err = revive(v, n); err != nil {
		return nil, err
	}
	if c, ok := v.(settler); ok {
		if d.here.empty() {
			c.settle()
		} else {
			d.unsettled = append(d.unsettled, c)
		}
	}
	return v, nil
}

// plain decodes JSON whose inside may be annotated.
func (d *decoder) plain(n *node) (any, error) {
	switch d.dec.PeekKind() {
	case '{':
		return d.anyObject(n)
	case '[':
		return d.anyArray(n)
	}
	t, err := d.token()
	if err != nil {
		return nil, err
	}
	switch t.Kind() {
	case '"':
		s := t.String()
		if r, err := d.parts.find(s); err != nil {
			return nil, err
		} else if r != nil {
			return d.parts.value(r, d.meter)
		}
		return s, d.spend(stringCost + len(s))
	case '0':
		if err := d.spend(numberCost); err != nil {
			return nil, err
		}
		f, err := strconv.ParseFloat(t.String(), 64)
		if err != nil {
			return nil, &DataError{Reason: "a number is out of range"}
		}
		return f, nil
	case 't', 'f':
		return t.Bool(), nil
	}
	return nil, nil
}

func (d *decoder) anyObject(n *node) (any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	if _, err := d.token(); err != nil {
		return nil, err
	}
	m := map[string]any{}
	if err := d.spend(mapCost); err != nil {
		return nil, err
	}
	for {
		name, ok, err := d.name()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if !d.meter.spendMember(len(m), anyMember) || !d.meter.spend(len(name)) {
			return nil, d.meter.err
		}
		if m[name], err = d.any(n.child(name)); err != nil {
			return nil, atKey(err, name)
		}
	}
	d.depth--
	if d.mode == ModeTaggedJSON {
		if b, ok := taggedBytes(m); ok {
			return b, nil
		}
	}
	if d.references != nil {
		if v, err := d.references.DecodeReference(m, false); v != nil || err != nil {
			return v, err
		}
	}
	return m, nil
}

func (d *decoder) anyArray(n *node) (any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	if _, err := d.token(); err != nil {
		return nil, err
	}
	list := []any{}
	if err := d.spend(listCost); err != nil {
		return nil, err
	}
	for {
		if more, err := d.more(); err != nil {
			return nil, err
		} else if !more {
			break
		}
		v, err := d.any(n.item(len(list)))
		if err != nil {
			return nil, atIndex(err, len(list))
		}
		before := cap(list)
		list = append(list, v)
		if !d.meter.spendGrowth(before, cap(list), stringCost) {
			return nil, d.meter.err
		}
	}
	d.depth--
	return list, nil
}

// taggedBytes recognises what kkrpc 0.x makes of a Uint8Array.
func taggedBytes(m map[string]any) ([]byte, bool) {
	if m["type"] != uint8Array {
		return nil, false
	}
	data, ok := m["data"].([]any)
	if !ok {
		return nil, false
	}
	out := make([]byte, len(data))
	for i, v := range data {
		f, ok := v.(float64)
		if !ok {
			return nil, false
		}
		out[i] = byte(toUint32(f))
	}
	return out, true
}

// revive turns the JSON form of a value into what its annotation says.
func revive(v any, n *node) (any, error) {
	switch n.typ {
	case "undefined":
		return Undefined, nil
	case "number":
		return reviveNumber(v)
	case "Date":
		t, _ := reviveDate(v)
		return t, nil
	case "bigint":
		return reviveBigInt(v)
	case "Error":
		return reviveError(v)
	case "regexp":
		if s, ok := v.(string); ok {
			if r, ok := parseRegExp(s); ok {
				return &r, nil
			}
		}
	case "URL":
		if s, ok := v.(string); ok {
			if u, ok := parseURL(s); ok {
				return u, nil
			}
		}
	case "set":
		return reviveSet(v)
	case "map":
		return reviveMap(v)
	case "typed-array":
		return reviveTypedArray(v, n.arg)
	}
	return nil, badValue(n.typ)
}

func badValue(typ string) *DataError {
	return &DataError{Reason: "a value annotated " + typ + " is none"}
}

// misfit is err of reviving typ for the Go type alone. A value that nothing annotates is no malformed data, but unfit.
func misfit(err error, typ string, n *node, expected, got string) error {
	if e, ok := err.(*DataError); ok && n.kind() == "" && *e == *badValue(typ) {
		return &TypeError{Expected: expected, Got: got}
	}
	return err
}

func reviveNumber(v any) (any, error) {
	switch v := v.(type) {
	case float64:
		return v, nil
	case string:
		if f, ok := parseSpecialNumber(v); ok {
			return f, nil
		}
		if f, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil {
			return f, nil
		}
		return math.NaN(), nil
	}
	return nil, badValue("number")
}

// reviveDate is new Date(v). An invalid date is the zero time and false. The library itself writes one as null.
func reviveDate(v any) (t time.Time, ok bool) {
	switch v := v.(type) {
	case string:
		return parseDate(v)
	case float64:
		if math.Abs(v) <= maxDateMillis {
			return time.UnixMilli(int64(v)).UTC(), true
		}
	case nil:
		return time.UnixMilli(0).UTC(), true
	}
	return time.Time{}, false
}

func reviveBigInt(v any) (*big.Int, error) {
	switch v := v.(type) {
	case string:
		if n, ok := parseBigInt(v); ok {
			return n, nil
		}
	case float64:
		if v == math.Trunc(v) {
			n, _ := new(big.Int).SetString(strconv.FormatFloat(v, 'f', 0, 64), 10)
			return n, nil
		}
	}
	return nil, badValue("bigint")
}

func reviveError(v any) (*Error, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, badValue("Error")
	}
	e := &Error{Cause: m["cause"]}
	e.Name, _ = m["name"].(string)
	e.Message, _ = m["message"].(string)
	if e.Cause == Undefined {
		e.Cause = nil
	}
	return e, nil
}

func reviveSet(v any) (*Set, error) {
	list, ok := v.([]any)
	if !ok && v != nil {
		return nil, badValue("set")
	}
	return &Set{values: list}, nil
}

func reviveMap(v any) (*Map, error) {
	list, ok := v.([]any)
	if !ok && v != nil {
		return nil, badValue("map")
	}
	m := &Map{entries: slices.Grow([]Entry(nil), len(list))}
	for _, item := range list {
		pair, ok := item.([]any)
		if !ok || len(pair) != 2 {
			return nil, badValue("map")
		}
		m.entries = append(m.entries, Entry{pair[0], pair[1]})
	}
	return m, nil
}

// reviveTypedArray refuses a bare number, which the original takes for a length to allocate.
func reviveTypedArray(v any, name string) (any, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, badValue(name)
	}
	if holdsBigInts(name) {
		return newBigIntArray(name, list)
	}
	numbers := make([]float64, len(list))
	for i, item := range list {
		switch item := item.(type) {
		case float64:
			numbers[i] = item
		case string:
			if numbers[i], ok = parseSpecialNumber(item); !ok {
				return nil, badValue(name)
			}
		case nil: // superjson before 2.2.7 writes NaN and the infinities so, and reads it as 0
		default:
			return nil, badValue(name)
		}
	}
	return newTypedArray(typedArrayTypes[name], numbers).Interface(), nil
}
