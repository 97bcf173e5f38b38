package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc/internal/interop/seen"
)

// runtimes are the lines of the table, in its order.
var runtimes = []struct{ id, name string }{
	{"node", "Node.js"},
	{"bun", "Bun"},
	{"deno", "Deno"},
	{"workerd", "Cloudflare Workers (workerd)"},
	{"chromium", "browser (Chromium)"},
}

var directions = []struct {
	id    seen.Direction
	title string
}{
	{seen.Client, "its client → Go"},
	{seen.Server, "Go → its Hono"},
	{seen.Inside, "client → Go inside its Hono"},
}

var (
	protocols = []string{"classic", "compact"}
	codecs    = []struct{ id, title string }{{"json", "JSON"}, {"superjson", "SuperJSON"}}
)

// table is what was seen: the head, and a line for each runtime that was there.
type table struct {
	head  string
	lines map[string]string // by the name of the runtime
}

func makeTable(rows []seen.Row) table {
	head, rule := "| |", "|---|"
	for _, d := range directions {
		for _, protocol := range protocols {
			head += fmt.Sprintf(" %s, %s |", d.title, protocol)
			rule += "---|"
		}
	}
	t := table{head: head + "\n" + rule, lines: map[string]string{}}
	for _, rt := range runtimes {
		line, any := "| "+rt.name+" |", false
		for _, d := range directions {
			for _, protocol := range protocols {
				cell := cellOf(rows, func(r seen.Row) bool {
					return r.Runtime == rt.id && r.Direction == d.id && r.Protocol == protocol
				})
				any = any || cell != ""
				if cell == "" {
					cell = "–"
				}
				line += " " + cell + " |"
			}
		}
		if any {
			t.lines[rt.name] = line
		}
	}
	return t
}

// cellOf names the codecs with which everything passed, and those with which something did not.
func cellOf(rows []seen.Row, in func(seen.Row) bool) string {
	var cell []string
	for _, codec := range codecs {
		passed, failed := 0, 0
		for _, r := range rows {
			if in(r) && r.Codec == codec.id {
				passed += r.Passed
				failed += r.Failed
			}
		}
		switch {
		case failed > 0:
			cell = append(cell, codec.title+" **fails**")
		case passed > 0:
			cell = append(cell, codec.title+" ✓")
		}
	}
	return strings.Join(cell, " ")
}

// report says what ran and how many checks passed, and which runtimes are missing. forgotten are those of which there is
// no word.
func report(rows []seen.Row) (lines, forgotten []string) {
	for _, rt := range runtimes {
		version, missing := "", ""
		counts := map[seen.Direction]int{}
		for _, r := range rows {
			if r.Runtime != rt.id {
				continue
			}
			if r.Missing != "" {
				missing = r.Missing
				continue
			}
			version = r.Version
			counts[r.Direction] += r.Passed
		}
		if version == "" && missing == "" {
			missing = "no test asked for it"
			forgotten = append(forgotten, rt.name)
		}
		if version == "" {
			lines = append(lines, fmt.Sprintf("not run: %s: %s", rt.name, missing))
			continue
		}
		var did []string
		for _, d := range directions {
			if n := counts[d.id]; n > 0 {
				did = append(did, fmt.Sprintf("%s: %d checks", d.title, n))
			}
		}
		lines = append(lines, fmt.Sprintf("%s, %s: %s", rt.name, version, strings.Join(did, ", ")))
	}
	return lines, forgotten
}

// merge puts the lines that were seen into a table of the README, whose other lines stay as they are.
func (t table) merge(old string) string {
	lines := []string{t.head}
	for _, rt := range runtimes {
		line, ok := t.lines[rt.name]
		if !ok {
			kept := strings.Split(old, "\n")
			i := slices.IndexFunc(kept, func(l string) bool { return strings.HasPrefix(l, "| "+rt.name+" |") })
			if i < 0 {
				continue
			}
			line = kept[i]
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
