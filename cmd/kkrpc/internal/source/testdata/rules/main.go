// Command rules exposes structs with rules at every place where a rule can stand.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// Base is embedded.
type Base struct {
	ID      string `json:"id" validate:"required"`
	Name    string `json:"name" validate:"max=3"` // hidden by that of User
	Skipped string `json:"-" validate:"-"`
}

// Deep is embedded behind a pointer.
type Deep struct {
	Level int8 `json:"level" validate:"gte=1"`
	Inner
}

type Inner struct {
	Depth uint `json:"depth" validate:"lt=5"`
}

// Ruled is embedded with a rule.
type Ruled struct {
	Zip string `json:"zip" validate:"len=5"`
}

type session struct {
	Token string `json:"token" validate:"uuid4"`
	key   string
}

// Hash is text, and a rule sees bytes.
type Hash [4]byte

func (Hash) MarshalText() ([]byte, error)     { return nil, nil }
func (*Hash) UnmarshalText(text []byte) error { return nil }

// Maybe is validated by what is in it.
type Maybe struct{ Value string }

func (m Maybe) ValidatorValue() any { return m.Value }

// User has rules.
type User struct {
	Base
	*Deep
	Ruled    `validate:"required"`
	session  `validate:"-"`
	Name     string             `json:"name" validate:"required,max=80"`
	Email    *string            `json:"email,omitempty" validate:"omitempty,email"`
	Password string             `json:"-" validate:"required"`
	Repeat   string             `json:"repeat" validate:"eqfield=Password"`
	Tags     []string           `json:"tags" validate:"max=3,dive,alphanum"`
	Labels   map[int]float32    `json:"labels" validate:"dive,keys,gt=0,endkeys,lt=1"`
	Named    map[Hash]Hash      `json:"named" validate:"dive,required"`
	Count    json.Number        `json:"count" validate:"required"`
	Born     time.Time          `json:"born" validate:"required"`
	Maybe    Maybe              `json:"maybe" validate:"max=3"`
	Small    uint8              `json:"small"`
	Wide     int64              `json:"wide,string" validate:"gte=7"`
	Audit    struct{ By Ruled } `json:"-"`
	hidden   string             `validate:"required"`
}

// Plain has none.
type Plain struct {
	A int `json:"a"`
}

func main() {
	http.Handle("/", ws.Handler(kkrpc.Object{
		"create": func(u User, p Plain) []User { return nil },
	}, nil))
	log.Fatal(http.ListenAndServe("127.0.0.1:0", nil))
}
