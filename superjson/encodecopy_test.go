package superjson_test

import (
	"testing"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// keeper keeps the address that its method gets.
type keeper struct{ Name string }

var kept []*keeper

func (k *keeper) MarshalJSON() ([]byte, error) {
	kept = append(kept, k)
	return []byte(`"` + k.Name + `"`), nil
}

// A method that keeps its receiver does not see a later value there.
func TestValuesAreCopiedForMethods(t *testing.T) {
	type holder struct {
		Count int
		Pair  [2]struct{ Keeper keeper }
	}
	kept = nil
	e := superjson.NewEncoder(superjson.ModeJSON)
	for _, name := range []string{"a", "b", "c"} {
		h := holder{Count: 1}
		h.Pair[1].Keeper.Name = name
		for _, v := range []any{keeper{name}, h} {
			if _, err := e.Append(nil, "", v); err != nil {
				t.Fatal(err)
			}
		}
	}
	names := ""
	for _, k := range kept {
		names += k.Name + " "
	}
	if want := "a  a b  b c  c "; names != want {
		t.Errorf("kept %q, want %q", names, want)
	}
}

// maybe is left out by a method that keeps its receiver.
type maybe struct{ Name string }

var asked []*maybe

func (m *maybe) IsZero() bool {
	asked = append(asked, m)
	return false
}

func TestValuesAreCopiedForIsZero(t *testing.T) {
	asked = nil
	e := superjson.NewEncoder(superjson.ModeJSON)
	for _, name := range []string{"a", "b", "c"} {
		v := struct {
			M maybe `json:",omitzero"`
		}{maybe{name}}
		if _, err := e.Append(nil, "", v); err != nil {
			t.Fatal(err)
		}
	}
	names := ""
	for _, m := range asked {
		names += m.Name
	}
	if names != "abc" {
		t.Errorf("kept %q, want abc", names)
	}
}
