package source_test

import (
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/source"
)

// TestRefusedClients has a type for each reason not to write a client, and for each change of a method.
func TestRefusedClients(t *testing.T) {
	if testing.Short() {
		t.Skip("it loads a program")
	}
	rows := []struct {
		name, text string // of the type
		want       string // part of the error, or of a note
	}{
		{"number", "int", "neither an interface nor a struct of funcs"},
		{"empty", "interface{}", "has nothing to call"},
		{"generic[T any]", "interface{ F(t T) error }", "declare a type with all of them, as in type API = generic[string]"},
		{"duration", "interface{ F(ctx context.Context, d time.Duration) error }", "F: parameter 1: time.Duration has no unit"},
		{"values", "interface{ F() (int, int, error) }", "F returns 2 values"},
		{"stringer", "interface{ F() (fmt.Stringer, error) }", "result: nothing can be decoded into the interface fmt.Stringer"},
		{"nested", "interface{ F() ([]struct{ S fmt.Stringer }, error) }", "result[].S: nothing can be decoded"},
		{"callback", "interface{ F(each func() int) error }", "parameter 1: func() int returns values; a callback"},
		{"deep", "interface{ F(each func(s fmt.Stringer)) error }", "parameter 1: its parameter 1: nothing can be decoded"},
		{"loop", "interface{ F(l Loop) error }", "leads back to itself through its parameters"},
		{"second", "interface{ F(a int, ctx context.Context) error }", "a context.Context must be the first parameter"},
		{"kept", "interface{ F() (*kkrpc.Callback, error) }", "a *kkrpc.Callback can only be a parameter itself"},
		{"numberRef", "interface{ F() (kkrpc.RefTo[int], error) }", "kkrpc.RefTo[int]: want a func type, or an interface with methods"},
		{"nothing", "interface{ F(r []kkrpc.RefTo[any]) error }", "kkrpc.RefTo[interface]: the interface has no exported method"},
		{"slow", "interface{ F(r kkrpc.RefTo[func(d time.Duration)]) error }", "parameter 1: time.Duration has no unit"},
		{"channel", "interface{ F(c chan int) error }", "a chan cannot cross"},
		{"value", "struct{ F func() string }", "F must return an error last"},
		{"seq", "struct{ F func() iter.Seq[int] }", "use iter.Seq2[int, error]"},
		{"database", "struct{ DB *int }", "field DB: want a func or a struct of them, not *int"},
		{"dotted", "struct{ F func() error `kkrpc:\"a.b\"` }", `"a.b" cannot be called`},
		{"typo", "struct{ F func() error `kkrpc:\",notfy\"` }", `the tag has the option "notfy"; want notify, get, set or new`},
		{"notified", "struct{ F func(ctx context.Context) error `kkrpc:\",notify\"` }", "kkrpc.Notify takes no context"},
		{"answered", "struct{ F func() (int, error) `kkrpc:\",notify\"` }", "returns no value"},
		{"got", "struct{ F func(a int) (int, error) `kkrpc:\",get\"` }", "has no parameters"},
		{"assigned", "struct{ F func(a ...int) error `kkrpc:\",set\"` }", "its value as the only parameter"},
		{"built", "struct{ F func() error `kkrpc:\",new\"` }", "has the instance and an error as results"},
		{"taken", "struct{ F func() error }", "the client is called takenClient, as what is declared at"},
		{"file", "interface{ F(f *os.File) error }", "parameter 1: *os.File can be read, but is neither io.Reader nor io.ReadCloser"},
		{"written", "struct{ F func(w io.Writer) error }", "parameter 1: io.Writer cannot be an argument: the peer could not write to it; return an io.ReadCloser"},
		{"readers", "interface{ F() ([]io.Reader, error) }", "result[]: nothing can be decoded into the interface io.Reader"},
		{"writers", "interface{ F(v, w io.Writer) error }", "F: parameter 2: only one io.Writer can be a parameter"},
		{"both", "interface{ F(w io.Writer) (int, error) }", "F: what it writes to its io.Writer is the result; return nothing but an error"},
		{"Writing", "interface{ F(w io.Writer) }", "F returns an io.ReadCloser in the client, of what the function writes to its io.Writer"},
		{"Failing", "interface{ F() int }", "F returns an error too in the client"},
		{"Streaming", "interface{ F() iter.Seq[int] }", "F returns an iter.Seq2[int, error] in the client"},
		{"Hidden", "interface{ F() error; f() }", "the method f is not exported and is left out"},
	}
	var text strings.Builder
	text.WriteString("package api\n\nimport (\n\"context\"\n\"fmt\"\n\"io\"\n\"iter\"\n\"os\"\n\"time\"\n\n\"github.com/kkrpc-go/kkrpc\"\n)\n\n" +
		"type Loop func(l Loop)\n\nvar _ iter.Seq[context.Context]\n\nvar _ = []any{fmt.Sprint, io.EOF, os.Args, time.Now, kkrpc.Release, takenClient}\n\nfunc takenClient() {}\n\n")
	for _, row := range rows {
		text.WriteString("type " + row.name + " " + row.text + "\n")
	}
	dir, err := os.MkdirTemp("testdata", "clients-") // in this module, whose dependencies it needs
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.WriteFile(filepath.Join(dir, "api.go"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := source.LoadBeside(t.Context(), ".", "./"+filepath.ToSlash(dir), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			name, _, _ := strings.Cut(row.name, "[")
			f, notes, err := program.Client(name, "")
			said := strings.Join(notes, "\n")
			if token.IsExported(name) != (err == nil) {
				t.Fatalf("error %v", err)
			}
			if err != nil {
				said = err.Error()
			} else if f.Implements != "" {
				t.Errorf("the client implements %s", f.Implements)
			}
			if !strings.Contains(said, row.want) || !strings.Contains(said, "api.go:") || strings.Contains(said, "\n") {
				t.Errorf("%q, want %q and the place on one line", said, row.want)
			}
		})
	}
}

// TestClientsInAnotherPackage names what that package cannot.
func TestClientsInAnotherPackage(t *testing.T) {
	if testing.Short() {
		t.Skip("it loads programs")
	}
	for _, row := range []struct{ pkg, name, want string }{
		{"./testdata/members", "API", "API is in package main, which another package cannot import; leave out --package"},
		{"./testdata/clients", "Secret", "the type secret is not exported, so that package other cannot name it"},
	} {
		program, err := source.LoadBeside(t.Context(), ".", row.pkg, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := program.Client(row.name, "other"); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("error %v, want %q", err, row.want)
		}
	}
}
