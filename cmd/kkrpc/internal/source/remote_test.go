package source_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/source"
	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/source/testdata/remotes"
)

// remote returns what kkrpc.Remote panics with, or "".
func remote[T any]() (refused string) {
	defer func() {
		if reason := recover(); reason != nil {
			refused = fmt.Sprint(reason)
		}
	}()
	kkrpc.Remote[T](nil)
	return ""
}

// TestClientsAndRemoteAgree has a struct for each rule of kkrpc.Remote. Both take it, or both say the same is wrong.
func TestClientsAndRemoteAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("it loads a program")
	}
	program, err := source.LoadBeside(t.Context(), ".", "./testdata/remotes", "")
	if err != nil {
		t.Fatal(err)
	}
	const sealed = "cannot set the embedded pointer to the unexported struct inner; export it or embed the struct itself"
	for _, row := range []struct {
		name   string
		remote func() string
		want   string // a part of both reasons; empty if both take it
	}{
		{"Call", remote[remotes.Call], ""},
		{"Dropped", remote[remotes.Dropped], ""},
		{"Referring", remote[remotes.Referring], ""},
		{"ReferringToData", remote[remotes.ReferringToData], "want a func type, or an interface with methods"},
		{"Stream", remote[remotes.Stream], ""},
		{"Reading", remote[remotes.Reading], ""},
		{"ReadingAlone", remote[remotes.ReadingAlone], "must return an error last"},
		{"ReadingFile", remote[remotes.ReadingFile], "*os.File can be read, but is neither io.Reader nor io.ReadCloser"},
		{"ReadingInside", remote[remotes.ReadingInside], "io.Reader"},
		{"Writing", remote[remotes.Writing], "io.Writer cannot be an argument: the peer could not write to it"},
		{"WritingTo", remote[remotes.WritingTo], "*bufio.Writer cannot be an argument: the peer could not write to it"},
		{"Sequence", remote[remotes.Sequence], "error"},
		{"Unfailing", remote[remotes.Unfailing], "must return an error last"},
		{"Many", remote[remotes.Many], "returns "},
		{"Notified", remote[remotes.Notified], ""},
		{"NotifiedInContext", remote[remotes.NotifiedInContext], "remove the parameter"},
		{"NotifiedValue", remote[remotes.NotifiedValue], "value"},
		{"Got", remote[remotes.Got], ""},
		{"GotBy", remote[remotes.GotBy], "no parameters, and a value and an error as results"},
		{"Assigned", remote[remotes.Assigned], ""},
		{"AssignedAll", remote[remotes.AssignedAll], "its value as the only parameter, and no result but an error"},
		{"Built", remote[remotes.Built], ""},
		{"BuiltNothing", remote[remotes.BuiltNothing], "the instance and an error as results"},
		{"Misspelled", remote[remotes.Misspelled], `the tag has the option "notfy"; want notify, get, set or new`},
		{"Dotted", remote[remotes.Dotted], `"a.b" cannot be called: a name is not empty and has no dot`},
		{"Namespace", remote[remotes.Namespace], ""},
		{"NamespaceWithOption", remote[remotes.NamespaceWithOption], `the tag has the option "bogus"; a namespace has none`},
		{"NamespaceWithGet", remote[remotes.NamespaceWithGet], `the tag has the option "get"; a namespace has none`},
		{"NamespaceOfNothing", remote[remotes.NamespaceOfNothing], `When: time.Time has nothing to call; a field for something else has the tag kkrpc:"-"`},
		{"NamespaceLeftAlone", remote[remotes.NamespaceLeftAlone], ""},
		{"Data", remote[remotes.Data], "N: want a func or a struct of them, not *int"},
		{"Sealed", remote[remotes.Sealed], sealed},
		{"SealedDeep", remote[remotes.SealedDeep], sealed},
		{"SealedItems", remote[remotes.SealedItems], sealed},
		{"SealedCallback", remote[remotes.SealedCallback], sealed},
		{"SealedParameter", remote[remotes.SealedParameter], ""},
		{"SealedHollow", remote[remotes.SealedHollow], ""},
		{"Embedded", remote[remotes.Embedded], ""},
		{"Duration", remote[remotes.Duration], "time.Duration has no unit"},
		{"Callback", remote[remotes.Callback], ""},
		{"Answering", remote[remotes.Answering], "callback"},
	} {
		t.Run(row.name, func(t *testing.T) {
			reasons := map[string]string{"kkrpc.Remote": row.remote(), "kkrpc gen go": ""}
			if _, _, err := program.Client(row.name, ""); err != nil {
				reasons["kkrpc gen go"] = err.Error()
			}
			for who, reason := range reasons {
				if (reason == "") != (row.want == "") || !strings.Contains(reason, row.want) || strings.Contains(reason, "\n") {
					t.Errorf("%s says %q, want %q", who, reason, row.want)
				}
			}
		})
	}
}
