package values_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/interop/values"
	"github.com/kkrpc-go/kkrpc/superjson"
)

const usual = 20_000

var (
	count = flag.Int("values", usual, "how many values, over all runtimes")
	seed  = flag.Int("seed", 1, "decides the values")
	index = flag.Int("index", -1, "the only value, as a failure names it")
)

// summary is the last line of values-peer.mjs.
type summary struct {
	Values, Unsent, Failures int
	Names                    []string       // of all rules
	Rules                    map[string]int // the differences that each allowed
	Kinds                    []string       // of failures
	Reports                  []report
}

// report is a failure, the first of its kind, made small.
type report struct {
	Index                         int
	Kind, Version, Source, Schema string
	Path, Sent, Arrived           string
	Library                       string // what the library does without Go
	Text, Answer                  string
}

// TestValuesThroughGo has each JavaScript value arrive in Go as any, as superjson.Value and as a type of its schema.
// Go writes each back, and the library compares what it reads with what it wrote. The rules for what may differ are in
// values-rules.mjs. Each is a row of docs/guide/values.md, and fails the test when no value needs it.
func TestValuesThroughGo(t *testing.T) {
	var mu sync.Mutex
	all := summary{Rules: map[string]int{}}
	finished := 0
	t.Run("runtimes", func(t *testing.T) {
		for part, rt := range js.Runtimes {
			t.Run(string(rt), func(t *testing.T) {
				t.Parallel()
				got := run(t, rt, part)
				mu.Lock()
				defer mu.Unlock()
				finished++
				all.Values += got.Values
				all.Names = got.Names
				for name, n := range got.Rules {
					all.Rules[name] += n
				}
			})
		}
	})
	if finished == 0 {
		t.Skip("no runtime has run")
	}
	t.Logf("%d values; these differences are allowed:", all.Values)
	for _, name := range slices.Sorted(maps.Keys(all.Rules)) {
		t.Logf("%8d %s", all.Rules[name], name)
	}
	if rows := documented(t); !slices.Equal(rows, all.Names) {
		t.Errorf("the rows of docs/guide/values.md are\n %s\nand the rules\n %s", strings.Join(rows, "\n "), strings.Join(all.Names, "\n "))
	}
	if t.Failed() || finished < len(js.Runtimes) || *index >= 0 || *count < usual {
		return
	}
	for _, name := range all.Names {
		if all.Rules[name] == 0 {
			t.Errorf("no value needed the rule %q: remove it and its row in docs/guide/values.md", name)
		}
	}
}

// documented returns the first cells of the table of differences.
func documented(t *testing.T) (cells []string) {
	page, err := os.ReadFile("../../docs/guide/values.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## What arrives differently\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if cell, ok := strings.CutPrefix(line, "| "); ok {
			cell, _, _ = strings.Cut(cell, " | ")
			cells = append(cells, cell)
		}
	}
	return cells[min(1, len(cells)):]
}

// run has a runtime check its part of the values.
func run(t *testing.T, rt js.Runtime, part int) (s summary) {
	args := []string{strconv.Itoa(*seed), strconv.Itoa(*count), strconv.Itoa(part), strconv.Itoa(len(js.Runtimes))}
	if *index >= 0 {
		args = append(args, strconv.Itoa(*index))
	}
	cmd := rt.Command(t, filepath.Join(js.Dir(t), "values-peer.mjs"), args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last, err := answer(out, in)
	in.Close()
	if err := errors.Join(err, cmd.Wait()); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(last, &s); err != nil {
		t.Fatalf("%v: %s", err, last)
	}
	t.Logf("%d values, %d that the library does not write, %d failures", s.Values, s.Unsent, s.Failures)
	for _, r := range s.Reports {
		t.Errorf(`value %d of seed %d with superjson %s: %s
 again   go test ./interop/values -run 'TestValuesThroughGo/runtimes/%s' -seed %d -index %d
 value   %s
 schema  %s
 at      %s
 sent    %s
 arrived %s
 the library alone %s
 text    %s
 answer  %s`, r.Index, *seed, r.Version, r.Kind, rt, *seed, r.Index, r.Source, r.Schema, r.Path, r.Sent, r.Arrived, r.Library, r.Text, r.Answer)
	}
	if len(s.Kinds) > len(s.Reports) {
		t.Errorf("all kinds of failures: %s", strings.Join(s.Kinds, "; "))
	}
	return s
}

// batch is values of one type.
type batch struct {
	typ    reflect.Type
	values []value
}

// value is three lines of the peer: flags, the text under SuperJSON, that under JSON.
type value struct{ flags, text, json string }

// answer echoes batches until the peer ends, and returns its summary.
func answer(from io.Reader, to io.Writer) (last []byte, err error) {
	batches := make(chan batch, 8) // read ahead, so that both sides never wait for the other to read
	go func() {
		defer close(batches)
		last, err = readBatches(bufio.NewReaderSize(from, 1<<16), batches)
	}()
	w := bufio.NewWriterSize(to, 1<<16)
	for b := range batches {
		for _, v := range b.values {
			writeAnswers(w, b.typ, v)
		}
		w.Flush()
	}
	return last, err
}

func readBatches(r *bufio.Reader, batches chan<- batch) ([]byte, error) {
	line := func() (string, error) {
		text, err := r.ReadString('\n')
		return strings.TrimSuffix(text, "\n"), err
	}
	for {
		head, err := line()
		if err != nil {
			return nil, fmt.Errorf("the peer ended without a summary: %w", err)
		}
		if summary, ok := strings.CutPrefix(head, "D "); ok {
			return []byte(summary), nil
		}
		var n int
		if _, err := fmt.Sscanf(head, "B %d {", &n); err != nil {
			return nil, fmt.Errorf("%q: %w", head, err)
		}
		b := batch{}
		if b.typ, err = values.ParseType([]byte(head[strings.IndexByte(head, '{'):])); err != nil {
			return nil, fmt.Errorf("%q: %w", head, err)
		}
		for range n {
			var v value
			for _, part := range []*string{&v.flags, &v.text, &v.json} {
				if *part, err = line(); err != nil {
					return nil, err
				}
			}
			b.values = append(b.values, v)
		}
		batches <- b
	}
}

// writeAnswers writes a line for each form of values-check.mjs.
func writeAnswers(w *bufio.Writer, typ reflect.Type, v value) {
	argument, plain, mode := v.flags[0] == 'A', v.flags[1] == 'P', superjson.ModeJSON
	if v.flags[2] == 'T' {
		mode = superjson.ModeTaggedJSON
	}
	for _, t := range []reflect.Type{reflect.TypeFor[any](), reflect.TypeFor[superjson.Value](), typ} {
		out, err := values.Echo([]byte(v.text), argument, t)
		writeAnswer(w, out, err)
	}
	for _, t := range []reflect.Type{reflect.TypeFor[any](), typ} {
		if v.json == "-" || t == typ && !plain {
			w.WriteString("-\n")
			continue
		}
		out, err := values.EchoJSON(mode, []byte(v.json), t)
		writeAnswer(w, out, err)
	}
}

func writeAnswer(w *bufio.Writer, out []byte, err error) {
	if err != nil {
		out = []byte("!" + strings.ReplaceAll(err.Error(), "\n", " "))
	}
	w.Write(out)
	w.WriteByte('\n')
}
