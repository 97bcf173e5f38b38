// Command matrix writes the table of runtimes in docs/compatibility.md from the results of the tests of interop:
//
//	KKRPC_MATRIX=$PWD/rows go test -count=1 ./interop
//	go run ./interop/matrix rows docs/compatibility.md
//
// With -check it writes nothing, and fails if the page says anything else. What it cannot know it does not compare: the
// lines of runtimes that are missing on this machine, whose names are printed, and the versions of those that every machine
// has its own of. A cell that no test has run, or that has not all the checks that it has in another runtime, is an error
// in both cases.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/kkrpc-go/kkrpc/interop/seen"
)

func main() {
	check := flag.Bool("check", false, "write nothing, fail if the table is another")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: matrix [-check] ROWS PAGE")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), flag.Arg(1), *check); err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

func run(rowsFile, readme string, check bool) error {
	rows, err := seen.Read(rowsFile)
	if err != nil {
		return err
	}
	old, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	t := makeTable(rows)
	for _, line := range t.report() {
		fmt.Println(line)
	}
	text, err := replace(string(old), t, check)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", readme, err)
	case len(t.problems) > 0:
		return errors.New(strings.Join(t.problems, "\n\t"))
	case text == string(old):
		return nil
	case check:
		return fmt.Errorf("the table in %s is not what was seen: run `make matrix`", readme)
	}
	return os.WriteFile(readme, []byte(text), 0o666)
}

// The table stands between these lines.
const (
	begin = "<!-- matrix: written by `make matrix` -->\n"
	end   = "\n<!-- end of matrix -->"
)

// replace puts the table into a document. With check, what this machine cannot know stays as it is.
func replace(text string, t table, check bool) (string, error) {
	before, rest, found := strings.Cut(text, begin)
	old, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", errors.New("the comments around the table are missing")
	}
	table := t.String()
	if check {
		table = t.asIn(old)
	}
	return before + begin + table + end + after, nil
}
