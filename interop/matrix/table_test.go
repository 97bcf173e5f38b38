package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/seen"
)

// everything are the rows of a run in which all went well.
func everything() (rows []seen.Row) {
	versions := map[string]string{
		"node": "v20.20.2", "bun": "1.4.5", "deno": "deno 2.9.5 (stable)", "workerd": "workerd 2026-10-23", "chromium": "Chromium 156.0.1 built on x",
	}
	for _, rt := range runtimes {
		for i, c := range columns {
			for j, codec := range codecs {
				for range rt.runs(c) {
					rows = append(rows, seen.Row{
						Runtime: rt.id, Version: versions[rt.id],
						Direction: c.direction, Protocol: c.protocol, Codec: codec.id, Passed: 10*i + j + 1,
					})
				}
			}
		}
	}
	return rows
}

// without is everything without what is missing here.
func without(id string) []seen.Row {
	rows := slices.DeleteFunc(everything(), func(r seen.Row) bool { return r.Runtime == id })
	return append(rows, seen.Row{Runtime: id, Missing: "none here"})
}

func document(table string) string {
	return "# A title\n\n" + begin + table + end + "\n\nmore text\n"
}

func mustReplace(t *testing.T, text string, rows []seen.Row, check bool) string {
	t.Helper()
	got, err := replace(text, makeTable(rows), check)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTable(t *testing.T) {
	got := mustReplace(t, document("| old |"), everything(), false)
	const both = "JSON ✓ SuperJSON ✓ |"
	for _, want := range []string{
		"# A title\n\n" + begin + "| | its client → Go, classic | its client → Go, compact |",
		"\n|---|---|---|---|---|---|---|\n",
		"\n| Node.js 20.20.2 | " + both,
		"\n| Bun 1.4.5 | " + both,
		"\n| Deno 2.9.5 | " + both,
		"\n| Cloudflare Workers (workerd) 2026-10-23 | " + both,
		"\n| browser (Chromium) 156.0.1 | " + both + " " + both + " – | – | – | – |\n",
		"\n| checks with each | 1, 2 | 11, 12 | 21, 22 | 31, 32 | 41, 42 | 51, 52 |" + end + "\n\nmore text\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "old") {
		t.Errorf("something is left of the table before:\n%s", got)
	}
	if _, err := replace("no table", makeTable(nil), false); err == nil {
		t.Error("no error for a document without a table")
	}
}

// What did not run is not taken from what the table said before.
func TestMissingRuntimeIsNotRun(t *testing.T) {
	for _, rt := range runtimes {
		table := makeTable(without(rt.id))
		if len(table.problems) > 0 {
			t.Errorf("without %s: %q", rt.name, table.problems)
		}
		got := mustReplace(t, document(makeTable(everything()).String()), without(rt.id), false)
		if want := "\n| " + rt.name + " | not run | not run |"; !strings.Contains(got, want) {
			t.Errorf("without %s: %q is missing in\n%s", rt.name, want, got)
		}
		if report, want := strings.Join(table.report(), "\n"), "not run: "+rt.name+": none here"; !strings.Contains(report, want) {
			t.Errorf("%q is missing in\n%s", want, report)
		}
	}
}

func TestCheck(t *testing.T) {
	change := func(id string, change func(r *seen.Row)) []seen.Row {
		rows := everything()
		for i := range rows {
			if id == "" || rows[i].Runtime == id {
				change(&rows[i])
			}
		}
		return rows
	}
	for _, row := range []struct {
		name string
		rows []seen.Row
		same bool
	}{
		{"the same", everything(), true},
		{"a runtime is missing", without("deno"), true},
		{"the browser is missing", without("chromium"), true},
		{"the machine's own is another version", change("node", func(r *seen.Row) { r.Version = "v26.0.0" }), true},
		{"the one from npm is another version", change("bun", func(r *seen.Row) { r.Version = "1.5.0" }), false},
		{"a check more, in every runtime", change("", func(r *seen.Row) { r.Passed++ }), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			written := document(makeTable(everything()).String())
			if got := mustReplace(t, written, row.rows, true); (got == written) != row.same {
				t.Errorf("the document has\n%s, and was seen\n%s", written, got)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	// at gives the place of the first run of workerd's servers with Go inside, compact and SuperJSON.
	at := func(rows []seen.Row) int {
		return slices.IndexFunc(rows, func(r seen.Row) bool {
			return r.Runtime == "workerd" && r.Direction == seen.Inside && r.Protocol == "compact" && r.Codec == "superjson"
		})
	}
	const cell = "Cloudflare Workers (workerd), client → Go inside its Hono, compact, SuperJSON: "
	for _, row := range []struct {
		name   string
		change func(rows []seen.Row) []seen.Row
		want   string
	}{
		{"nothing", func(rows []seen.Row) []seen.Row { return rows }, ""},
		{"a run is missing", func(rows []seen.Row) []seen.Row { return slices.Delete(rows, at(rows), at(rows)+1) }, cell + "1 runs, want 2"},
		{"a run of another codec", func(rows []seen.Row) []seen.Row { rows[at(rows)].Codec = "cbor"; return rows }, cell + "1 runs, want 2"},
		{"a check is missing", func(rows []seen.Row) []seen.Row { rows[at(rows)].Passed--; return rows }, cell + "51 checks, elsewhere 52"},
		{"a check failed", func(rows []seen.Row) []seen.Row {
			rows[at(rows)].Passed--
			rows[at(rows)].Failed++
			return rows
		}, cell + "1 of 52 checks failed"},
		{"no checks", func(rows []seen.Row) []seen.Row { rows[at(rows)].Passed = 0; return rows }, cell + "0 of 0 checks failed"},
		{"nobody asked", func(rows []seen.Row) []seen.Row {
			return slices.DeleteFunc(rows, func(r seen.Row) bool { return r.Runtime == "bun" })
		}, "Bun: no test asked for it"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := strings.Join(makeTable(row.change(everything())).problems, "\n")
			if (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
