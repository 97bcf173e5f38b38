package bind

import (
	"context"
	"encoding/json"
	"iter"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"github.com/kkrpc-go/kkrpc/superjson"
)

type loop struct {
	Next *loop
	Ref  *reference
}

// crossing is a type and why it cannot be a parameter, and an argument; "": it can.
type crossing struct {
	typ     reflect.Type
	in, out string
}

func testCrossing(t *testing.T, rows []crossing) {
	t.Helper()
	for _, r := range rows {
		types := newTypes()
		for range 2 { // the second time from the caches
			if got := text(types.checkParameter(r.typ)); got != r.in {
				t.Errorf("a parameter %s: got %q, want %q", r.typ, got, r.in)
			}
			if got := text(types.CheckArgument(r.typ)); got != r.out {
				t.Errorf("an argument %s: got %q, want %q", r.typ, got, r.out)
			}
		}
	}
}

// Types of functions that take themselves, directly or through others, and their neighbours that do not.
type (
	itself     func(itself)
	throughOne func(func(string, throughOne) error)
	manyItself func(context.Context, ...manyItself)
	ping       func(pong)
	pong       func(ping)
	throughAll func(func(*handle), throughAny, func(iter.Seq2[int, error]))
	throughAny func(any, []any) error
	iterator   func(yield func(iterator, error) bool)
)

// TestFunctionsThatTakeThemselves guards against a check without end, which ended the process.
func TestFunctionsThatTakeThemselves(t *testing.T) {
	const loop = " leads back to itself through its parameters; make one of them a *kkrpc.Callback"
	testCrossing(t, []crossing{
		{reflect.TypeFor[itself](), ": bind.itself" + loop, ": bind.itself cannot be a callback: bind.itself" + loop},
		{reflect.TypeFor[func(int, itself)](), ": bind.itself" + loop, ": func(int, bind.itself) cannot be a callback: bind.itself" + loop},
		{reflect.TypeFor[throughOne](), ": bind.throughOne" + loop, ": bind.throughOne cannot be a callback: bind.throughOne" + loop},
		{reflect.TypeFor[manyItself](), ": bind.manyItself" + loop, ": bind.manyItself cannot be a callback: bind.manyItself" + loop},
		{reflect.TypeFor[ping](), ": bind.ping" + loop, ": bind.ping cannot be a callback: bind.ping" + loop},
		{reflect.TypeFor[func(ping, pong)](), ": bind.ping" + loop, ": func(bind.ping, bind.pong) cannot be a callback: bind.ping" + loop},
		{reflect.TypeFor[throughAll](), "", ""},
		{reflect.TypeFor[func(throughAny, throughAny)](), "", ""},
		{reflect.TypeFor[iterator](), " items: bind.iterator: a stream can only be a result, a parameter or a property itself", " items: bind.iterator: a stream can only be a result, a parameter or a property itself"},
	})
	types := newTypes()
	for _, fn := range []any{func(itself) {}, itself(func(itself) {})} {
		if _, err := types.Function(fn, "f"); text(err) != "parameter 1: bind.itself"+loop {
			t.Errorf("%T: got %v", fn, err)
		}
	}
	if _, err := types.Callback(itself(func(itself) {})); text(err) != "bind.itself cannot be a callback: bind.itself"+loop {
		t.Errorf("got %v", err)
	}
}

// Named scalars.
type (
	truth  bool
	tiny   int8
	double float64
	phase  complex128
	word   uintptr
	raw    unsafe.Pointer
)

// TestScalarsThatCannotCross has every kind of scalar, with and without a name of its own.
func TestScalarsThatCannotCross(t *testing.T) {
	for typ, ok := range map[reflect.Type]bool{
		reflect.TypeFor[bool]():           true,
		reflect.TypeFor[int]():            true,
		reflect.TypeFor[int8]():           true,
		reflect.TypeFor[int16]():          true,
		reflect.TypeFor[int32]():          true,
		reflect.TypeFor[int64]():          true,
		reflect.TypeFor[uint]():           true,
		reflect.TypeFor[uint8]():          true,
		reflect.TypeFor[uint16]():         true,
		reflect.TypeFor[uint32]():         true,
		reflect.TypeFor[uint64]():         true,
		reflect.TypeFor[uintptr]():        false,
		reflect.TypeFor[float32]():        true,
		reflect.TypeFor[float64]():        true,
		reflect.TypeFor[complex64]():      false,
		reflect.TypeFor[complex128]():     false,
		reflect.TypeFor[string]():         true,
		reflect.TypeFor[unsafe.Pointer](): false,
		reflect.TypeFor[truth]():          true,
		reflect.TypeFor[tiny]():           true,
		reflect.TypeFor[double]():         true,
		reflect.TypeFor[label]():          true,
		reflect.TypeFor[phase]():          false,
		reflect.TypeFor[word]():           false,
		reflect.TypeFor[raw]():            false,
	} {
		why := func(at string) string {
			if ok {
				return ""
			}
			return at + ": " + typ.String() + " cannot cross the connection"
		}
		field := reflect.StructOf([]reflect.StructField{{Name: "F", Type: typ}})
		testCrossing(t, []crossing{
			{typ, why(""), why("")},
			{reflect.PointerTo(typ), why(""), why("")},
			{reflect.SliceOf(typ), why("[]"), why("[]")},
			{field, why(".F"), why(".F")},
		})
	}
}

func TestTypesThatCannotCross(t *testing.T) {
	const data = "a function can only be a parameter itself"
	const wantTarget = "; want a func type, or an interface with methods"
	testCrossing(t, []crossing{
		{reflect.TypeFor[string](), "", ""},
		{reflect.TypeFor[loop](), "", ""},
		{reflect.TypeFor[json.RawMessage](), "", ""},
		{reflect.TypeFor[any](), "", ""},
		{reflect.TypeFor[func()](), "", ""},
		{reflect.TypeFor[func(func(int)) error](), "", ""},
		{reflect.TypeFor[*handle](), "", ": a *kkrpc.Callback can only be a parameter itself"},
		{reflect.TypeFor[*shared](), ": a *kkrpc.Shared is only sent; use the type of its value", ""},
		{reflect.TypeFor[[]*shared](), "[]: a *kkrpc.Shared is only sent; use the type of its value", "[]: a *kkrpc.Shared can only stand by itself, not inside of another value"},
		{reflect.TypeFor[reference](), ": a kkrpc.Ref must be a pointer, *kkrpc.Ref", ": a kkrpc.Ref must be a pointer, *kkrpc.Ref"},
		{reflect.TypeFor[held[func()]](), "", ""},
		{reflect.TypeFor[[]*held[error]](), "", ""},
		{reflect.TypeFor[held[int]](), ": a bind.held[int] stands for a int" + wantTarget, ": a bind.held[int] stands for a int" + wantTarget},
		{reflect.TypeFor[[]held[any]](), "[]: a bind.held[interface {}] stands for a interface {}" + wantTarget, "[]: a bind.held[interface {}] stands for a interface {}" + wantTarget},
		{reflect.TypeFor[iter.Seq2[int, error]](), "", ""},
		{reflect.TypeFor[iter.Seq[int]](), ": iter.Seq[int] cannot say that the stream has failed; use iter.Seq2[int, error]", ""},
		{reflect.TypeFor[<-chan int](), ": <-chan int cannot say that the stream has failed; use iter.Seq2[int, error]", ""},
		{reflect.TypeFor[iter.Seq2[int, int]](), ": iter.Seq2[int,int] cannot say that the stream has failed; use iter.Seq2[int, error]", ": iter.Seq2[int,int]: a stream of pairs cannot cross; use iter.Seq2[T, error]"},
		{reflect.TypeFor[iter.Seq2[struct{ F func() }, error]](), " items.F: func(): " + data, " items.F: func(): " + data},
		{reflect.TypeFor[struct{ A []struct{ F func() } }](), ".A[].F: func(): " + data, ".A[].F: func(): " + data},
		{reflect.TypeFor[struct{ D time.Duration }](), ".D: time.Duration has no unit that both sides agree on; use a number of milliseconds", ".D: time.Duration has no unit that both sides agree on; use a number of milliseconds"},
		{reflect.TypeFor[struct {
			D time.Duration `json:"-"`
			d time.Duration
		}](), "", ""},
		{reflect.TypeFor[map[bool]int](), ": bool cannot be the key of an object", ": bool cannot be the key of an object"},
		{reflect.TypeFor[chan int](), ": chan int cannot cross the connection; a stream is a <-chan int", ": chan int cannot cross the connection; a stream is a <-chan int"},
		{reflect.TypeFor[func() int](), ": func() int returns values; a function across the connection is called one way and returns nothing or an error", ": func() int cannot be a callback: func() int returns values; a function across the connection is called one way and returns nothing or an error"},
	})
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestRefUseOf(t *testing.T) {
	for typ, want := range map[reflect.Type]RefUse{
		reflect.TypeFor[int]():                        RefNever,
		reflect.TypeFor[[]string]():                   RefNever,
		reflect.TypeFor[time.Time]():                  RefNever,
		reflect.TypeFor[any]():                        RefMaybe,
		reflect.TypeFor[struct{ V map[string]any }](): RefMaybe,
		reflect.TypeFor[superjson.Value]():            RefMaybe,
		reflect.TypeFor[loop]():                       RefSurely,
		reflect.TypeFor[func([]*reference) error]():   RefSurely,
		reflect.TypeFor[func() *reference]():          RefSurely,
		reflect.TypeFor[func() held[error]]():         RefSurely,
		reflect.TypeFor[[]*held[error]]():             RefSurely,
		reflect.TypeFor[func(error)]():                RefMaybe,
	} {
		types := newTypes()
		for range 2 {
			if got := types.RefUseOf(typ); got != want {
				t.Errorf("%s: got %v, want %v", typ, got, want)
			}
		}
	}
}

const (
	noUnit     = "time.Duration has no unit that both sides agree on; use a number of milliseconds"
	unexported = "an unexported field can only be embedded as in Go, without a name"
)

type (
	timed        struct{ D time.Duration }
	unseen       struct{ Shown int }
	embedsUnseen struct{ *unseen }
	left         struct{ Same int }
	right        struct{ Same int }
	both         struct {
		left
		right
	}
	decided struct {
		both
		Same int
	}
)

// TestStructsWithoutAForm has the structs whose fields JSON would lose without a word.
func TestStructsWithoutAForm(t *testing.T) {
	const two = `the fields left.Same and right.Same have one name, "Same"; rename one by its tag, or leave it out by json:"-"`
	const sealed = "cannot set the embedded pointer to the unexported struct unseen; export it or embed the struct itself"
	testCrossing(t, []crossing{
		{reflect.TypeFor[both](), ": " + two, ": " + two},
		{reflect.TypeFor[[]map[string]*both](), "[][]: " + two, "[][]: " + two},
		{reflect.TypeFor[struct{ In both }](), ".In: " + two, ".In: " + two},
		{reflect.TypeFor[decided](), "", ""},
		{reflect.TypeFor[struct{ A, B decided }](), "", ""},
		{reflect.TypeFor[struct {
			decided
			Deep struct{ In both }
		}](), ".Deep.In: " + two, ".Deep.In: " + two},
		{reflect.TypeFor[struct{ both }](), ": the fields both.left.Same and both.right.Same" + two[len("the fields left.Same and right.Same"):], ": the fields both.left.Same and both.right.Same" + two[len("the fields left.Same and right.Same"):]},
		{reflect.TypeFor[embedsUnseen](), ": " + sealed, ""},
		{reflect.TypeFor[[]embedsUnseen](), "[]: " + sealed, ""},
		{reflect.TypeFor[struct{ unseen }](), "", ""},
		{reflect.TypeFor[struct{ *left }](), ": cannot set the embedded pointer to the unexported struct left; export it or embed the struct itself", ""},
		{reflect.TypeFor[struct {
			A struct{ time.Duration } `json:"-"`
			//lint:ignore SA5008 this form of the tag is read, if not written
			B int `json:"-,"`
		}](), "", ""},
		{reflect.TypeFor[struct {
			//lint:ignore SA5008 likewise
			B time.Duration `json:"-,"`
		}](), ".B: time.Duration has no unit that both sides agree on; use a number of milliseconds", ".B: time.Duration has no unit that both sides agree on; use a number of milliseconds"},
		// A field that does not cross may have any type.
		{reflect.TypeFor[struct {
			timed
			D int
		}](), "", ""},
		{reflect.TypeFor[struct {
			timed `json:"named"`
		}](), "", ""},
		{reflect.TypeFor[struct{ timed }](), ".timed.D: " + noUnit, ".timed.D: " + noUnit},
		{reflect.TypeFor[struct {
			In map[bool]timed `json:"'a,embed'"` // a name in quotes has no options
		}](), ".In: bool cannot be the key of an object", ".In: bool cannot be the key of an object"},
		{reflect.TypeFor[struct {
			In timed `json:"'a,embed'"`
		}](), ".In.D: " + noUnit, ".In.D: " + noUnit},
		{reflect.StructOf([]reflect.StructField{ // a form of tag that vet refuses
			{Name: "in", PkgPath: "bind", Type: reflect.TypeFor[timed](), Tag: `json:",embed"`},
		}), ": field in: " + unexported, ": field in: " + unexported},
	})
}
