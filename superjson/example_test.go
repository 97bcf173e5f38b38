package superjson_test

import (
	"fmt"
	"math/big"
	"time"

	"github.com/kkrpc-go/kkrpc/superjson"
)

func ExampleMarshal() {
	out, err := superjson.Marshal(map[string]any{
		"at":  time.UnixMilli(0),
		"big": big.NewInt(10),
		"set": superjson.NewSet("a", superjson.Undefined),
	})
	fmt.Println(string(out), err)
	// Output: {"json":{"at":"1970-01-01T00:00:00.000Z","big":"10","set":["a",null]},"meta":{"values":{"at":["Date"],"big":["bigint"],"set":["set",{"1":["undefined"]}]},"v":1}} <nil>
}

func ExampleUnmarshal() {
	var v struct {
		At  time.Time `json:"at"`
		Big int64     `json:"big"`
	}
	err := superjson.Unmarshal([]byte(`{"json":{"at":"1970-01-01T00:00:00.000Z","big":"10"},"meta":{"values":{"at":["Date"],"big":["bigint"]},"v":1}}`), &v)
	fmt.Println(v.At, v.Big, err)
	// Output: 1970-01-01 00:00:00 +0000 UTC 10 <nil>
}

func ExampleEncoder() {
	e := superjson.NewEncoder(superjson.ModeSuperJSON)
	out, _ := e.Append([]byte(`{"v":`), "v", time.UnixMilli(0))
	out = append(out, '}')
	fmt.Println(string(out), string(e.AppendMeta(nil)))
	// Output: {"v":"1970-01-01T00:00:00.000Z"} {"values":{"v":["Date"]},"v":1}
}
