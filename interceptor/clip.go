package interceptor

import (
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"time"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// A peer chooses how large the values are that it sends, and a value of this side can contain itself. So the log gets a copy
// that is small and has an end.

const (
	// maxText bounds each value in the log, in bytes.
	maxText = 1 << 10
	// maxLevels bounds its nesting.
	maxLevels = 16
	// more stands for what is left out.
	more = "…"
)

// clipped returns v, or the part of a copy that is to be logged. A struct becomes a map by its JSON names.
func clipped(v any) any {
	c := clip{left: maxText + 1}
	return c.value(reflect.ValueOf(v), 0)
}

// clip makes the copy of one value.
type clip struct{ left int }

func (c *clip) value(v reflect.Value, level int) any {
	c.left--
	switch {
	case c.left < 0 || level > maxLevels:
		return more
	case !v.IsValid():
		return nil
	case v.Kind() == reflect.Pointer && v.IsNil(), v.Kind() == reflect.Map && v.IsNil():
		return nil
	case !v.CanInterface(): // an unexported struct that is embedded, and whose LogValue cannot be called
		return more
	}
	switch t := v.Interface().(type) {
	case slog.LogValuer:
		return c.logged(slog.AnyValue(t), level)
	case slog.Value:
		return c.logged(t, level)
	case slog.Attr:
		return c.logged(slog.GroupValue(t), level)
	case time.Time, time.Duration:
		return t
	case superjson.Value:
		return c.text(string(t.JSON[:min(len(t.JSON), maxText+1)])) // one byte more than text leaves
	case *superjson.Set:
		return c.value(reflect.ValueOf(t.Values()), level)
	case *superjson.Map:
		return c.value(reflect.ValueOf(t.Entries()), level)
	case error, fmt.Stringer:
		return c.text(fmt.Sprint(t)) // which survives a panic
	}
	switch v.Kind() {
	case reflect.String:
		return c.text(v.String())
	case reflect.Pointer, reflect.Interface:
		return c.value(v.Elem(), level+1)
	case reflect.Slice, reflect.Array:
		return c.list(v, level)
	case reflect.Map:
		return c.members(v, level)
	case reflect.Struct:
		return c.fields(v, level)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return c.text(v.Type().String())
	}
	c.left -= 3
	return v.Interface()
}

func (c *clip) text(s string) string {
	if len(s) <= c.left {
		c.left -= len(s)
		return s
	}
	s = strings.ToValidUTF8(s[:max(c.left, 0)], "")
	c.left = 0
	return s + more
}

func (c *clip) list(v reflect.Value, level int) []any {
	list := []any{}
	for i := range v.Len() {
		if c.left <= 0 {
			return append(list, more)
		}
		list = append(list, c.value(v.Index(i), level+1))
	}
	return list
}

func (c *clip) members(v reflect.Value, level int) map[string]any {
	members := map[string]any{}
	for key, value := range v.Seq2() {
		if c.left <= 0 {
			members[more] = more
			break
		}
		members[c.key(key)] = c.value(value, level+1)
	}
	return members
}

func (c *clip) key(key reflect.Value) string {
	if t, ok := key.Interface().(slog.LogValuer); ok {
		return fmt.Sprint(c.logged(slog.AnyValue(t), 0))
	}
	if key.Kind() == reflect.String {
		return c.text(key.String())
	}
	return c.text(fmt.Sprint(key))
}

func (c *clip) fields(v reflect.Value, level int) map[string]any {
	fields := map[string]any{}
	for f := range superjson.Fields(v.Type()) {
		member, index := f.Name, f.Index
		if c.left <= 0 {
			fields[more] = more
			break
		}
		name, value := shown(v, member, index)
		if _, known := fields[name]; !known && value.IsValid() {
			fields[c.text(name)] = c.value(value, level+1)
		}
	}
	return fields
}

// shown returns the field of v that is the member. An embedded struct with a LogValue of its own stands for its fields. The
// value is invalid behind a nil pointer.
func shown(v reflect.Value, member string, index []int) (name string, value reflect.Value) {
	for i, n := range index {
		if i > 0 && v.Kind() == reflect.Pointer && v.IsNil() {
			return "", reflect.Value{}
		}
		if i > 0 && v.Type().Implements(reflect.TypeFor[slog.LogValuer]()) {
			return name, v
		}
		v = reflect.Indirect(v)
		name, v = v.Type().Field(n).Name, v.Field(n)
	}
	return member, v
}

// logged is a value that says itself how it is logged, or a part of it.
func (c *clip) logged(v slog.Value, level int) any {
	v = v.Resolve() // a panic in LogValue becomes an error
	if v.Kind() != slog.KindGroup || level > maxLevels {
		return c.value(reflect.ValueOf(v.Any()), level+1)
	}
	c.left--
	members := map[string]any{}
	for _, a := range v.Group() {
		if c.left <= 0 {
			members[more] = more
			break
		}
		members[c.text(a.Key)] = c.logged(a.Value, level+1)
	}
	return members
}
