package superjson

import (
	"math"
	"math/big"
	"reflect"
	"strconv"
)

// numberNode describes the elements of a typed array, in which a number that JSON lacks has no annotation of its own.
var numberNode = newNode("number")

func decodeInt(d *decoder, v reflect.Value, n *node) error {
	text, err := d.integer(n)
	if err != nil {
		return err
	}
	i, ok := new(big.Int).SetString(text, 10)
	if !ok || !i.IsInt64() || v.OverflowInt(i.Int64()) {
		return &TypeError{Expected: v.Kind().String(), Got: "integer out of range"}
	}
	v.SetInt(i.Int64())
	return nil
}

func decodeUint(d *decoder, v reflect.Value, n *node) error {
	text, err := d.integer(n)
	if err != nil {
		return err
	}
	i, ok := new(big.Int).SetString(text, 10)
	if !ok || !i.IsUint64() || v.OverflowUint(i.Uint64()) {
		return &TypeError{Expected: v.Kind().String(), Got: "integer out of range"}
	}
	v.SetUint(i.Uint64())
	return nil
}

// integer reads a number that is an integer, or an annotated bigint, as decimal digits.
func (d *decoder) integer(n *node) (string, error) {
	text, big, err := d.number("integer", n)
	if big || err != nil {
		return text, err
	}
	if _, ok := plainInt([]byte(text)); ok {
		return text, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case math.Abs(f) > maxSafeInteger:
		return "", &TypeError{Expected: "integer", Got: "number outside ±(2^53-1), which may have lost digits; use a bigint"}
	case err != nil || f != math.Trunc(f):
		return "", &TypeError{Expected: "integer", Got: "number"}
	}
	return strconv.FormatFloat(f, 'f', 0, 64), nil
}

// number reads the text of a finite number or of an annotated bigint. A number that JSON lacks is a string.
func (d *decoder) number(expected string, n *node) (text string, isBig bool, err error) {
	kind, annotation := d.dec.PeekKind(), n.kind()
	if kind != '0' && (kind != '"' || annotation != "bigint" && annotation != "number") {
		return "", false, d.unfit(expected, n)
	}
	t, err := d.token()
	if err != nil || kind == '0' {
		return t.String(), false, err
	}
	text = t.String()
	if annotation == "bigint" {
		i, ok := parseBigInt(text)
		if !ok {
			return "", true, badValue("bigint")
		}
		return i.String(), true, nil
	}
	if _, ok := parseSpecialNumber(text); !ok {
		return "", false, badValue("number")
	}
	if text != "-0" {
		return "", false, &TypeError{Expected: expected, Got: text}
	}
	return text, false, nil
}

func decodeFloat(d *decoder, v reflect.Value, n *node) error {
	if d.mode == ModeSuperJSON && d.dec.PeekKind() == '"' {
		t, err := d.token()
		if err != nil {
			return err
		}
		f, ok := parseSpecialNumber(t.String())
		if !ok {
			return &TypeError{Expected: "number", Got: kindName('"', n)}
		}
		v.SetFloat(f)
		return nil
	}
	if d.dec.PeekKind() != '0' {
		return d.unfit("number", n)
	}
	t, err := d.token()
	if err != nil {
		return err
	}
	f, err := strconv.ParseFloat(t.String(), v.Type().Bits())
	if err != nil {
		return &TypeError{Expected: "number", Got: "number out of range"}
	}
	v.SetFloat(f)
	return nil
}

// decodeNumber reads a json.Number.
func decodeNumber(d *decoder, v reflect.Value, n *node) error {
	text, isBig, err := d.number("number", n)
	if err != nil {
		return err
	}
	if _, err := strconv.ParseFloat(text, 64); err != nil && !isBig {
		return &TypeError{Expected: "number", Got: "number out of range"}
	}
	v.SetString(text)
	return nil
}

func decodeBigInt(d *decoder, v reflect.Value, n *node) error {
	target := v.Addr().Interface().(*big.Int)
	if d.dec.PeekKind() == '0' || n.kind() == "number" {
		text, err := d.integer(n)
		if err == nil {
			target.SetString(text, 10)
		}
		return err
	}
	s, err := d.string("bigint", n)
	if err != nil {
		return err
	}
	i, ok := parseBigInt(s)
	if !ok {
		return &TypeError{Expected: "bigint", Got: "string"}
	}
	target.Set(i)
	return nil
}
