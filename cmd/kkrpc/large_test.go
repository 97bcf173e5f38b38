package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/tsgen"
)

// largeAPI is a server with 200 methods and 300 types.
func largeAPI() string {
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n\t\"time\"\n\n\t\"github.com/kkrpc-go/kkrpc\"\n\t\"github.com/kkrpc-go/kkrpc/transport/ws\"\n)\n\n" +
		"func main() {\n\tws.Handler(kkrpc.As[API](service{}), nil)\n\tselect {}\n}\n\ntype service struct{}\n\ntype API interface {\n")
	const methods, types = 200, 300
	for i := range methods {
		fmt.Fprintf(&b, "\t// Method%d finds a thing by its id.\n\tMethod%[1]d(id string, like Type%[1]d) (*Type%d, error)\n", i, types-1-i)
	}
	b.WriteString("}\n\n")
	for i := range methods {
		fmt.Fprintf(&b, "func (service) Method%d(id string, like Type%[1]d) (*Type%d, error) { return nil, nil }\n\n", i, types-1-i)
	}
	for i := range types {
		fmt.Fprintf(&b, "// Type%d is a thing.\ntype Type%[1]d struct {\n\tID string `json:\"id\"`\n\tName *string `json:\"name\"` // null for none\n"+
			"\tAt time.Time `json:\"at,omitzero\"`\n\tTags []string `json:\"tags,omitempty\"`\n\tNext *Type%d `json:\"next\"`\n\tByName map[string]Type%d `json:\"byName\"`\n}\n\n",
			i, (i+1)%types, (i+7)%types)
	}
	return b.String()
}

// TestLargeAPI prints how long a large API takes. Its bounds are far from that, for machines that have other work.
func TestLargeAPI(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a program")
	}
	const most = 20 * time.Second
	chdirToCopy(t, "testdata/dev")
	write(t, "api.go", "package main\n")
	write(t, "main.go", largeAPI())
	for _, what := range []string{"at first", "warm"} {
		var stdout, stderr bytes.Buffer
		start := time.Now()
		if code := run(t.Context(), []string{"gen", "ts", ".", "-o", what + ".ts"}, &stdout, &stderr); code != 0 {
			t.Fatal(stderr.String())
		}
		took := time.Since(start)
		t.Logf("kkrpc gen ts, %s: %v; the goal is 2s", what, took.Round(time.Millisecond))
		if what == "warm" && took > most {
			t.Errorf("kkrpc gen ts took %v", took)
		}
	}

	api, err := describe(t.Context(), ".", "")
	if err != nil {
		t.Fatal(err)
	}
	lines, start := 0, time.Now()
	for time.Since(start) < 200*time.Millisecond {
		text, err := tsgen.Generate(api, nil)
		if err != nil {
			t.Fatal(err)
		}
		lines += bytes.Count(text, []byte("\n"))
	}
	rate := float64(lines) / time.Since(start).Seconds()
	t.Logf("tsgen: %.0f lines a second; the goal is 10000", rate)
	if rate < 1_000 {
		t.Error("tsgen is slow")
	}

	d := startDev(t, t.Context(), ".", "--ts", "api.gen.ts")
	d.stderr.await(t, `^server started \(`)
	for i := range 3 {
		d.edit(t, "main.go", fmt.Sprintf("Method7%s(", strings.Repeat("x", i)), fmt.Sprintf("Method7%s(", strings.Repeat("x", i+1)))
		start := time.Now()
		d.stderr.await(t, `^api\.gen\.ts: `)
		took := time.Since(start)
		check(t, "api.gen.ts", read(t, "api.gen.ts"), fmt.Sprintf("\tmethod7%s(", strings.Repeat("x", i+1)))
		d.stderr.await(t, `^server restarted \(`)
		all := regexp.MustCompile(`(?m)^(?:api.gen.ts: API, 300 types|server restarted) \((.*)\)$`).FindAllStringSubmatch(d.stderr.all(), -1)
		t.Logf("kkrpc dev, from the change to the types: %v, by its own clock %s, the goal is 1s; to the server %s", took.Round(time.Millisecond), all[len(all)-2][1], all[len(all)-1][1])
		if took > most {
			t.Errorf("the types came after %v", took)
		}
	}
}
