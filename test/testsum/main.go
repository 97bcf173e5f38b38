// Command testsum makes the output of go test -json short and counts the tests.
//
//	go test -json ./... | go run ./test/testsum -record results
//	go run ./test/testsum -total -record results
//
// The first form prints a line per package and, of what fails, the whole output; it fails if a test did. With
// -record it adds what became of each test to a file. The second form prints one line for all that the file has, in
// which a test that ran more than once counts once.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is a line of go test -json; see go doc test2json.
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build-output and build-fail
	Test        string
	Output      string
	FailedBuild string
}

func main() {
	record := flag.String("record", "", "the `file` that keeps what became of each test")
	total := flag.Bool("total", false, "print the totals of -record and read nothing")
	flag.Parse()
	err := run(os.Stdin, os.Stdout, *record, *total)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, record string, total bool) error {
	if total {
		f, err := os.Open(record)
		if err != nil {
			return err
		}
		defer f.Close()
		all, err := readRecord(f)
		if err != nil {
			return err
		}
		return all.print(out)
	}
	seen, err := summarize(in, out)
	if err != nil {
		return err
	}
	if record != "" {
		if err := seen.append(record); err != nil {
			return err
		}
	}
	return seen.print(out)
}

// results has, by package and test, pass, skip or fail. A package that fails without a failing test, because it does
// not build or its process died, has a line without a test.
type results map[string]string

// add keeps the worst, except that a test that passed somewhere is not called skipped.
func (r results) add(name, action string) {
	rank := map[string]int{"": 0, "skip": 1, "pass": 2, "fail": 3}
	if rank[action] > rank[r[name]] {
		r[name] = action
	}
}

func (r results) print(out io.Writer) error {
	n := map[string]int{}
	for _, action := range r {
		n[action]++
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", n["pass"], n["fail"], n["skip"])
	if n["fail"] > 0 {
		return errors.New("FAIL")
	}
	return nil
}

func (r results) append(name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for test, action := range r {
		fmt.Fprintf(w, "%s %s\n", action, test)
	}
	return errors.Join(w.Flush(), f.Close())
}

func readRecord(in io.Reader) (results, error) {
	r := results{}
	s := bufio.NewScanner(in)
	for s.Scan() {
		action, test, _ := strings.Cut(s.Text(), " ")
		r.add(test, action)
	}
	return r, s.Err()
}

// summarize prints the packages' lines as they come. Output of tests is held back until they fail.
func summarize(in io.Reader, out io.Writer) (results, error) {
	seen := results{}
	held := map[string]*strings.Builder{}
	failed := map[string]bool{} // packages with a failed test
	any := false
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil || e.Action == "" {
				fmt.Fprintf(out, "%s", line)
				continue
			}
			any = true
			key := e.Package + " " + e.Test
			switch e.Action {
			case "build-output":
				fmt.Fprint(out, e.Output)
			case "output":
				switch {
				case e.Test == "" && (e.Output == "PASS\n" || e.Output == "FAIL\n"):
					// The package's own line says it again.
				case e.Test != "" || !isSummary(e.Output):
					if held[key] == nil {
						held[key] = new(strings.Builder)
					}
					held[key].WriteString(e.Output)
				case !strings.Contains(e.Output, "[no test files]"):
					fmt.Fprint(out, e.Output)
				}
			case "pass", "skip":
				if e.Test != "" {
					seen.add(key, e.Action)
				}
				delete(held, key)
			case "fail":
				if h := held[key]; h != nil {
					fmt.Fprint(out, h)
					delete(held, key)
				}
				if e.Test != "" {
					failed[e.Package] = true
					seen.add(key, "fail")
				} else if !failed[e.Package] {
					// A test that was running when the process died has no event of its own.
					for k, h := range held {
						if strings.HasPrefix(k, key) {
							fmt.Fprint(out, h)
						}
					}
					seen.add(key, "fail")
				}
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if !any {
		return nil, errors.New("testsum: no test output to read")
	}
	return seen, nil
}

// isSummary tells go test's own line about a package from what its tests print.
func isSummary(line string) bool {
	return strings.HasPrefix(line, "ok  \t") || strings.HasPrefix(line, "FAIL\t") || strings.HasPrefix(line, "?   \t") ||
		strings.HasPrefix(line, "\t")
}
