package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/kkrpc-go/kkrpc/interop/seen"
)

// runtime is a line of the table.
type runtime struct {
	id, name string
	machines bool // comes with the machine, in any version
	serves   bool
}

// runtimes are in the table's order.
var runtimes = []runtime{
	{id: "node", name: "Node.js", machines: true, serves: true},
	{id: "bun", name: "Bun", serves: true},
	{id: "deno", name: "Deno", serves: true},
	{id: "workerd", name: "Cloudflare Workers (workerd)", serves: true},
	{id: "chromium", name: "browser (Chromium)", machines: true},
}

// runs is how often a runtime has to make the checks of a column with each codec.
func (r runtime) runs(c column) int {
	switch {
	case c.direction == seen.Client:
		return 1
	case !r.serves:
		return 0
	case r.id == "workerd" && c.direction == seen.Inside:
		return 2 // in a Durable Object and in a plain Worker
	}
	return 1
}

type column struct {
	direction seen.Direction
	protocol  string
	title     string
}

var columns = []column{
	{seen.Client, "classic", "its client → Go, classic"},
	{seen.Client, "compact", "its client → Go, compact"},
	{seen.Server, "classic", "Go → its Hono, classic"},
	{seen.Server, "compact", "Go → its Hono, compact"},
	{seen.Inside, "classic", "client → Go inside its Hono, classic"},
	{seen.Inside, "compact", "client → Go inside its Hono, compact"},
}

var codecs = []struct{ id, title string }{{"json", "JSON"}, {"superjson", "SuperJSON"}}

// table is what was seen.
type table struct {
	versions map[string]string // of the runtimes that were there, by id
	missing  map[string]string // why the others were not
	checks   []string          // in each column, those of all codecs
	problems []string          // why a cell may not have its ✓
}

// makeTable wants each cell to have been run as often as it has to be, with the same checks in all runtimes, all passed.
func makeTable(rows []seen.Row) table {
	t := table{versions: map[string]string{}, missing: map[string]string{}}
	for _, r := range rows {
		if r.Missing != "" {
			t.missing[r.Runtime] = r.Missing
		} else {
			t.versions[r.Runtime] = r.Version
		}
	}
	for _, rt := range runtimes {
		if t.versions[rt.id] == "" && t.missing[rt.id] == "" {
			t.problem("%s: no test asked for it", rt.name)
		}
	}
	for _, c := range columns {
		var counts []string
		for _, codec := range codecs {
			n := t.column(rows, c, codec.id, codec.title)
			counts = append(counts, fmt.Sprint(n))
		}
		t.checks = append(t.checks, strings.Join(counts, ", "))
	}
	return t
}

// column returns how many checks a column has with a codec.
func (t *table) column(rows []seen.Row, c column, codec, title string) (checks int) {
	for _, rt := range runtimes {
		if t.versions[rt.id] == "" {
			continue
		}
		cell := fmt.Sprintf("%s, %s, %s", rt.name, c.title, title)
		runs := 0
		for _, r := range rows {
			if r.Runtime != rt.id || r.Direction != c.direction || r.Protocol != c.protocol || r.Codec != codec {
				continue
			}
			runs++
			made := r.Passed + r.Failed
			if r.Failed > 0 || r.Passed == 0 {
				t.problem("%s: %d of %d checks failed", cell, r.Failed, made)
			}
			if checks == 0 {
				checks = made
			} else if made != checks {
				t.problem("%s: %d checks, elsewhere %d", cell, made, checks)
			}
		}
		if want := rt.runs(c); runs < want {
			t.problem("%s: %d runs, want %d", cell, runs, want)
		}
	}
	return checks
}

func (t *table) problem(format string, args ...any) {
	t.problems = append(t.problems, fmt.Sprintf(format, args...))
}

// number is the part of a version that the table shows.
var number = regexp.MustCompile(`\d+([.-]\d+)+`)

// String is the table in Markdown.
func (t table) String() string {
	lines := []string{"| |", "|---|"}
	for _, c := range columns {
		lines[0] += " " + c.title + " |"
		lines[1] += "---|"
	}
	var every []string
	for _, codec := range codecs {
		every = append(every, codec.title+" ✓")
	}
	for _, rt := range runtimes {
		version, ran := t.versions[rt.id]
		line := strings.TrimSpace("| "+rt.name+" "+number.FindString(version)) + " |"
		for _, c := range columns {
			switch {
			case rt.runs(c) == 0:
				line += " – |"
			case ran:
				line += " " + strings.Join(every, " ") + " |"
			default:
				line += " not run |"
			}
		}
		lines = append(lines, line)
	}
	last := "| checks with each |"
	for _, counts := range t.checks {
		last += " " + counts + " |"
	}
	return strings.Join(append(lines, last), "\n")
}

// asIn is the table with what this machine cannot know as in another one: the lines of the runtimes that are missing here,
// and the versions of those that come with the machine.
func (t table) asIn(other string) string {
	lines := strings.Split(t.String(), "\n")
	for i, line := range lines {
		for _, rt := range runtimes {
			if !strings.HasPrefix(line, "| "+rt.name) {
				continue
			}
			_, ran := t.versions[rt.id]
			theirs := lineOf(other, rt)
			switch {
			case theirs == "":
			case !ran:
				lines[i] = theirs
			case rt.machines:
				lines[i] = firstCell(theirs) + strings.TrimPrefix(line, firstCell(line))
			}
		}
	}
	return strings.Join(lines, "\n")
}

func lineOf(table string, rt runtime) string {
	for line := range strings.SplitSeq(table, "\n") {
		if strings.HasPrefix(line, "| "+rt.name) {
			return line
		}
	}
	return ""
}

func firstCell(line string) string {
	_, rest, _ := strings.Cut(line, "| ")
	cell, _, _ := strings.Cut(rest, " |")
	return "| " + cell + " |"
}

// report says what ran, and by name what did not.
func (t table) report() (lines []string) {
	for _, rt := range runtimes {
		if version, ran := t.versions[rt.id]; ran {
			lines = append(lines, rt.name+": "+version)
		} else if why := t.missing[rt.id]; why != "" {
			lines = append(lines, "not run: "+rt.name+": "+why)
		}
	}
	for i, c := range columns {
		lines = append(lines, c.title+": checks with JSON and SuperJSON: "+t.checks[i])
	}
	return lines
}
