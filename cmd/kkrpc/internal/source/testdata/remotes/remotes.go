// Package remotes has structs of funcs that kkrpc.Remote and kkrpc gen go take or refuse alike.
package remotes

import (
	"bufio"
	"context"
	"io"
	"iter"
	"os"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

type inner struct{ N int }

type hollow struct{}

// Out embeds what no decoder can make.
type Out struct{ *inner }

// Hollow embeds a pointer to nothing.
type Hollow struct {
	*hollow
	N int
}

// Value embeds the struct itself.
type Value struct{ inner }

type (
	Call struct {
		F func(ctx context.Context, n ...int) (int, error)
	}
	Dropped   struct{ F func() }
	Referring struct {
		F func(r kkrpc.RefTo[func()]) (*kkrpc.RefTo[interface{ Close() }], error)
	}
	ReferringToData struct {
		F func() ([]kkrpc.RefTo[Value], error)
	}
	Stream  struct{ F func() iter.Seq2[int, error] }
	Reading struct {
		F func(ctx context.Context, r io.Reader, more ...io.ReadCloser) (io.ReadCloser, error)
	}
	ReadingAlone  struct{ F func() io.Reader }
	ReadingFile   struct{ F func(f *os.File) error }
	ReadingInside struct {
		F func(v struct{ R io.Reader }) error
	}
	Writing   struct{ F func(w io.Writer) error }
	WritingTo struct{ F func(w *bufio.Writer) error }
	Sequence  struct{ F func() iter.Seq[int] }
	Unfailing struct{ F func() int }
	Many      struct{ F func() (int, int, error) }
	Notified  struct {
		F func(n int) error `kkrpc:",notify"`
	}
	NotifiedInContext struct {
		F func(ctx context.Context) error `kkrpc:",notify"`
	}
	NotifiedValue struct {
		F func() (int, error) `kkrpc:",notify"`
	}
	Got struct {
		F func(ctx context.Context) (int, error) `kkrpc:",get"`
	}
	GotBy struct {
		F func(n int) (int, error) `kkrpc:",get"`
	}
	Assigned struct {
		F func(ctx context.Context, n int) error `kkrpc:",set"`
	}
	AssignedAll struct {
		F func(n ...int) error `kkrpc:",set"`
	}
	Built struct {
		F func(n int) (Value, error) `kkrpc:",new"`
	}
	BuiltNothing struct {
		F func() error `kkrpc:",new"`
	}
	Misspelled struct {
		F func() error `kkrpc:",notfy"`
	}
	Dotted struct {
		F func() error `kkrpc:"a.b"`
	}
	Namespace struct {
		N struct{ F func() error } `kkrpc:"n"`
	}
	NamespaceWithOption struct {
		N struct{ F func() error } `kkrpc:"n,bogus"`
	}
	NamespaceWithGet struct {
		N struct{ F func() error } `kkrpc:",get"`
	}
	NamespaceOfNothing struct {
		F    func() error
		When time.Time
	}
	NamespaceLeftAlone struct {
		F    func() error
		When time.Time `kkrpc:"-"`
	}
	Data       struct{ N *int }
	Sealed     struct{ F func() (Out, error) }
	SealedDeep struct {
		F func() ([]struct{ O *Out }, error)
	}
	SealedItems     struct{ F func() iter.Seq2[Out, error] }
	SealedCallback  struct{ F func(each func(Out)) error }
	SealedParameter struct{ F func(o Out) error }
	SealedHollow    struct{ F func() (Hollow, error) }
	Embedded        struct{ F func() (Value, error) }
	Duration        struct{ F func(d time.Duration) error }
	Callback        struct{ F func(c *kkrpc.Callback) error }
	Answering       struct{ F func(f func() int) error }
)
