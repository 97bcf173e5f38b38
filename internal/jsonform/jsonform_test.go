package jsonform_test

import (
	"encoding/json"
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kkrpc-go/kkrpc/internal/jsonform"
)

type (
	writesTo  struct{}
	readsFrom struct{}
	readsText struct{}
	embeds    struct{ time.Time }
	renamed   json.RawMessage
)

func (writesTo) MarshalJSONTo(*jsontext.Encoder) error { return nil }

func (*readsFrom) UnmarshalJSONFrom(*jsontext.Decoder) error { return nil }

func (*readsText) UnmarshalText([]byte) error { return nil }

func TestForms(t *testing.T) {
	for typ, want := range map[reflect.Type]struct{ writes, reads, raw bool }{
		reflect.TypeFor[string]():           {},
		reflect.TypeFor[error]():            {},
		reflect.TypeFor[struct{ A int }]():  {},
		reflect.TypeFor[big.Int]():          {writes: true, reads: true}, // by pointer
		reflect.TypeFor[*big.Int]():         {writes: true, reads: true},
		reflect.TypeFor[embeds]():           {writes: true, reads: true},
		reflect.TypeFor[writesTo]():         {writes: true},
		reflect.TypeFor[readsFrom]():        {reads: true},
		reflect.TypeFor[readsText]():        {reads: true},
		reflect.TypeFor[json.Marshaler]():   {writes: true},
		reflect.TypeFor[json.RawMessage]():  {writes: true, reads: true, raw: true},
		reflect.TypeFor[jsontext.Value]():   {writes: true, reads: true, raw: true},
		reflect.TypeFor[renamed]():          {},
		reflect.TypeFor[[]byte]():           {},
		reflect.TypeFor[*json.RawMessage](): {writes: true, reads: true},
	} {
		if w, r, raw := jsonform.Writes(typ), jsonform.Reads(typ), jsonform.IsRaw(typ); w != want.writes || r != want.reads || raw != want.raw {
			t.Errorf("%s: writes %v, reads %v, raw %v, want %v", typ, w, r, raw, want)
		}
	}
}
