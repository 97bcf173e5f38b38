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

func (k *keeper) UnmarshalJSON(text []byte) error {
	kept = append(kept, k)
	k.Name = string(text)
	return nil
}

// The same for a method that reads.
func TestListsAreReadApartForMethods(t *testing.T) {
	type holder struct{ Pair [1]struct{ Keeper keeper } }
	kept = nil
	for _, name := range []string{"1", "2", "3"} {
		var list []keeper
		var inside []holder
		if err := superjson.Decode(superjson.ModeJSON, []byte(`[`+name+`]`), nil, &list); err != nil {
			t.Fatal(err)
		}
		if err := superjson.Decode(superjson.ModeJSON, []byte(`[{"Pair":[{"Keeper":`+name+`}]}]`), nil, &inside); err != nil {
			t.Fatal(err)
		}
	}
	names := ""
	for _, k := range kept {
		names += k.Name
	}
	if want := "112233"; names != want {
		t.Errorf("kept %q, want %q", names, want)
	}
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
