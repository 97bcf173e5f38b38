package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/interop/seen"
)

const document = "# A title\n\n" + begin + `| old head |
|---|
| Node.js | as it was |
| browser (Chromium) | as it was |` + end + "\n\nmore text\n"

func TestReplace(t *testing.T) {
	rows := []seen.Row{
		{Runtime: "node", Version: "v20", Direction: seen.Client, Protocol: "classic", Codec: "json", Passed: 3},
		{Runtime: "node", Version: "v20", Direction: seen.Client, Protocol: "classic", Codec: "superjson", Passed: 3},
		{Runtime: "node", Version: "v20", Direction: seen.Server, Protocol: "compact", Codec: "json", Passed: 2},
		{Runtime: "bun", Version: "1", Direction: seen.Inside, Protocol: "compact", Codec: "superjson", Passed: 1},
		{Runtime: "bun", Version: "1", Direction: seen.Inside, Protocol: "compact", Codec: "superjson", Passed: 1, Failed: 1},
		{Runtime: "chromium", Missing: "none here"},
	}
	got, err := replace(document, makeTable(rows))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# A title\n\n" + begin + "| | its client → Go, classic | its client → Go, compact |",
		"\n|---|---|---|---|---|---|---|\n",
		"\n| Node.js | JSON ✓ SuperJSON ✓ | – | – | JSON ✓ | – | – |\n",
		"\n| Bun | – | – | – | – | – | SuperJSON **fails** |\n",
		"\n| browser (Chromium) | as it was |" + end + "\n\nmore text\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "Deno") {
		t.Errorf("a runtime that nobody saw has a line:\n%s", got)
	}
	if _, err := replace("no table", makeTable(rows)); err == nil {
		t.Error("no error for a document without a table")
	}
}

func TestReportNamesWhatIsMissing(t *testing.T) {
	lines, forgotten := report([]seen.Row{
		{Runtime: "node", Version: "v20", Direction: seen.Client, Protocol: "classic", Codec: "json", Passed: 3},
		{Runtime: "node", Version: "v20", Direction: seen.Client, Protocol: "compact", Codec: "json", Passed: 4},
		{Runtime: "chromium", Missing: "none here"},
	})
	if want := []string{"Bun", "Deno", "Cloudflare Workers (workerd)"}; !slices.Equal(forgotten, want) {
		t.Errorf("forgotten are %q, want %q", forgotten, want)
	}
	got := strings.Join(lines, "\n")
	for _, want := range []string{
		"Node.js, v20: its client → Go: 7 checks",
		"not run: Bun: no test asked for it",
		"not run: browser (Chromium): none here",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}
