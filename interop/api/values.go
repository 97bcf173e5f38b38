package api

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// values are the functions whose point is what they take or return.
func values() kkrpc.Object {
	return kkrpc.Object{
		// A raw value keeps what Go cannot hold: lone surrogates, cycles, shared references.
		"echo":      func(v superjson.Value) superjson.Value { return v },
		"delayEcho": delayEcho,
		"getDate":   func() time.Time { return time.Date(2024, 2, 29, 12, 34, 56, 789e6, time.UTC) },
		"getMap":    getMap,
		"getSet":    getSet,
		"getBigInt": func() *big.Int { return bigInt },
		"getBytes":  getBytes,
		"sumBytes":  sumBytes,
		"describe":  describe,
	}
}

var bigInt, _ = new(big.Int).SetString("12345678901234567890", 10)

func delayEcho(ctx context.Context, ms int, v superjson.Value) (superjson.Value, error) {
	return v, sleep(ctx, ms)
}

// plain reports whether the peer writes JSON, where a Map is an object without properties.
func plain(ctx context.Context) bool {
	d := kkrpc.DialectFrom(ctx)
	return d == kkrpc.Compact || d == kkrpc.Classic
}

func getMap(ctx context.Context) any {
	if plain(ctx) {
		return struct{}{}
	}
	return superjson.NewMap(
		superjson.Entry{Key: "a", Value: 1},
		superjson.Entry{Key: "b", Value: map[string]any{"c": 2}},
	)
}

func getSet(ctx context.Context) any {
	if plain(ctx) {
		return struct{}{}
	}
	return superjson.NewSet(1, 2, 3)
}

func getBytes(ctx context.Context, n int) (any, error) {
	if n < 0 || n > 1<<20 {
		return nil, fmt.Errorf("getBytes: %d is not between 0 and %d", n, 1<<20)
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	if kkrpc.DialectFrom(ctx) != kkrpc.Compact {
		return b, nil
	}
	// What JSON.stringify makes of a Uint8Array, in its order.
	indexed := []byte{'{'}
	for i, v := range b {
		if i > 0 {
			indexed = append(indexed, ',')
		}
		indexed = fmt.Appendf(indexed, `"%d":%d`, i, v)
	}
	return superjson.Value{JSON: append(indexed, '}')}, nil
}

func sumBytes(b []byte) int {
	sum := 0
	for _, v := range b {
		sum += int(v)
	}
	return sum
}

func describe(raw superjson.Value) (string, error) {
	if raw.JSON == nil {
		return "undefined", nil
	}
	var v any
	if err := raw.Decode(&v); err != nil {
		return "", err
	}
	switch v := v.(type) {
	case nil:
		return "null", nil
	case superjson.UndefinedType:
		return "undefined", nil
	case time.Time:
		return "date:" + v.UTC().Format("2006-01-02T15:04:05.000Z"), nil
	case *superjson.Map:
		return fmt.Sprintf("map:%d", v.Len()), nil
	case *superjson.Set:
		return fmt.Sprintf("set:%d", v.Len()), nil
	case []byte:
		return fmt.Sprintf("bytes:%d", len(v)), nil
	case *big.Int:
		return "bigint:" + v.String(), nil
	case []any:
		return "array", nil
	case string:
		return "string", nil
	case float64:
		return "number", nil
	case bool:
		return "boolean", nil
	default:
		return "object", nil
	}
}
