package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/forms"
	"github.com/kkrpc-go/kkrpc/interop/js"
)

// formIssue is what is wrong with a value, in the form of Standard Schema.
type formIssue struct {
	Message string `json:"message"`
	Path    []any  `json:"path"`
}

// verdict is what one side says of a value. A server that cannot read it tells no issues.
type verdict struct {
	unread string
	issues []formIssue
}

// TestForms has kkrpc gen ts write schemas for structs with rules, and compares what they say of many values with what the
// validator says on the server: the same values, and the same issues in the same order.
func TestForms(t *testing.T) {
	dir := js.TempDir(t, "testdata/forms/validate.mts", "testdata/forms/use.mts", "testdata/forms/classes.mts")
	strictConfig(t, dir)
	kkrpc := filepath.Join(dir, "kkrpc")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", kkrpc, "../cmd/kkrpc").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, args := range [][]string{{"standard", "json"}, {"zod", "json"}, {"standard", "superjson"}, {"zod", "superjson"}} {
		form, codec := args[0], args[1]
		out := filepath.Join(dir, map[string]string{"json": "", "superjson": "super-"}[codec]+form+".gen.ts")
		cmd := exec.CommandContext(t.Context(), kkrpc, "gen", "ts", "./forms", "-o", out, "--validate", form, "--codec", codec)
		if text, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(text), "only the server") {
			t.Fatalf("%v: %s", err, text)
		}
	}
	if out, err := compile(t, dir); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := js.Node.Command(t, filepath.Join(dir, "classes.mts")).CombinedOutput()
	if err != nil || string(out) != "as the server\n" {
		t.Errorf("%v: %s", err, out)
	}

	values := formValues()
	lines := filepath.Join(dir, "values.jsonl")
	if err := os.WriteFile(lines, []byte(strings.Join(values, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	client := js.Node.Command(t, filepath.Join(dir, "validate.mts"), lines)
	client.Stderr = t.Output()
	if out, err = client.Output(); err != nil {
		t.Fatal(err)
	}
	results := bytes.Split(out, []byte("\n"))
	if len(results) != len(values) {
		t.Fatalf("%d results for %d values", len(results), len(values))
	}

	server := serveForms(t)
	counts := map[string]int{}
	for i, line := range values {
		if t.Failed() && i%100 > 0 {
			continue // some are enough
		}
		var question struct {
			Form  string          `json:"form"`
			Value json.RawMessage `json:"value"`
		}
		var answer struct{ Standard, Zod []formIssue }
		if err := errorsOf(json.Unmarshal([]byte(line), &question), json.Unmarshal(results[i], &answer)); err != nil {
			t.Fatal(err)
		}
		want := server(question.Form, question.Value)
		compareStandard(t, line, want, answer.Standard)
		refused := want.unread != "" || len(want.issues) > 0
		if isTyped(question.Value, formTypes[question.Form]) && refused != (len(answer.Zod) > 0) {
			t.Errorf("%s\nserver %v\nzod    %v", line, want, answer.Zod)
		}
		switch {
		case strings.HasPrefix(want.unread, "InternalError"):
			t.Errorf("%s\nthe server fails", line)
		case want.unread != "":
			counts["unread"]++
		case refused:
			counts["refused"]++
		default:
			counts["accepted"]++
		}
	}
	t.Logf("%d values: %v", len(values), counts)
	if counts["accepted"] < 500 || counts["refused"] < 2000 || counts["unread"] < 500 {
		t.Errorf("too few of a kind: %v", counts)
	}
}

func errorsOf(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

// strictConfig writes a tsconfig.json with what projects ask of their files beside strict.
// With exactOptionalPropertyTypes, the optional members of Zod fit no interface.
func strictConfig(t *testing.T, dir string) {
	t.Helper()
	config := readJSON(t, filepath.Join(js.Dir(t), "tsconfig.json"))
	options := config["compilerOptions"].(map[string]any)
	for _, name := range strings.Fields(`noFallthroughCasesInSwitch noImplicitOverride noImplicitReturns
		noPropertyAccessFromIndexSignature noUncheckedIndexedAccess noUnusedLocals noUnusedParameters
		erasableSyntaxOnly verbatimModuleSyntax`) {
		options[name] = true
	}
	text, err := json.Marshal(config)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "tsconfig.json"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// compareStandard wants the same issues. Where the server cannot read a value, any will do.
func compareStandard(t *testing.T, line string, want verdict, got []formIssue) {
	t.Helper()
	if want.unread != "" {
		if len(got) == 0 {
			t.Errorf("%s\nserver   %s\nstandard accepts it", line, want.unread)
		}
		return
	}
	const most = 32 // that a server tells, of a map any
	if len(want.issues) == most {
		got = slices.DeleteFunc(got, func(g formIssue) bool {
			return !slices.ContainsFunc(want.issues, func(w formIssue) bool { return reflect.DeepEqual(g, w) })
		})
	}
	if diff := cmp.Diff(sortedByMap(want.issues), sortedByMap(got), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s\nserver (-) and standard (+):\n%s", line, diff)
	}
}

// sortedByMap puts issues below a map, which has no order in Go, into that of their paths.
func sortedByMap(issues []formIssue) []formIssue {
	issues = slices.Clone(issues)
	slices.SortStableFunc(issues, func(a, b formIssue) int { return strings.Compare(fmt.Sprint(a.Path), fmt.Sprint(b.Path)) })
	return issues
}

// serveForms returns a function that calls the server with the text of one argument.
func serveForms(t *testing.T) func(form string, value json.RawMessage) verdict {
	t.Helper()
	a, b := kkrpc.Pipe()
	ch, err := forms.Serve(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ch.Close() })
	return func(form string, value json.RawMessage) verdict {
		frame := fmt.Sprintf(`{"t":"q","id":"i","op":"call","p":[%q],"a":[{"__kkrpc_next_arg__":"value","v":%s}]}`, form, value)
		if err := b.WriteFrames([][]byte{[]byte(frame)}); err != nil {
			t.Fatal(err)
		}
		text, _, err := b.ReadFrame(nil)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			E *struct {
				N, M   string
				Issues []formIssue
			}
		}
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatal(err)
		}
		switch {
		case answer.E == nil:
			return verdict{}
		case answer.E.N != "RPCValidationError":
			return verdict{unread: answer.E.N + ": " + answer.E.M}
		}
		for i := range answer.E.Issues {
			answer.E.Issues[i].Path = answer.E.Issues[i].Path[1:] // behind the index of the argument
		}
		return verdict{issues: answer.E.Issues}
	}
}

var formTypes = map[string]reflect.Type{
	"Texts": reflect.TypeFor[forms.Texts](), "Empty": reflect.TypeFor[forms.Empty](), "Numbers": reflect.TypeFor[forms.Numbers](),
	"Lists": reflect.TypeFor[forms.Lists](), "Tree": reflect.TypeFor[forms.Tree](), "Fields": reflect.TypeFor[forms.Fields](),
	"Mixed": reflect.TypeFor[forms.Mixed](),
}

// formValues are the questions to both sides, the same in each run.
func formValues() []string {
	g := &formGenerator{Rand: rand.New(rand.NewPCG(1, 2))}
	var lines []string
	add := func(form, value string) { lines = append(lines, fmt.Sprintf(`{"form":%q,"value":%s}`, form, value)) }
	for _, text := range g.texts(600) {
		for _, form := range []string{"Texts", "Empty"} {
			fields := reflect.VisibleFields(formTypes[form])
			for part := range slices.Chunk(fields, 30) { // less than the server tells issues
				var members []string
				for _, f := range part {
					members = append(members, jsonText(strings.ToLower(f.Name))+":"+jsonText(text))
				}
				add(form, "{"+strings.Join(members, ",")+"}")
			}
		}
	}
	for _, form := range []string{"Numbers", "Lists", "Tree", "Fields", "Mixed"} {
		for _, value := range []string{`{}`, `null`, `[]`, `"x"`, `1`} {
			add(form, value)
		}
		for i := range 1500 {
			g.wild = 0
			if i%4 == 0 {
				g.wild = 0.02
			}
			if i%2 == 0 {
				add(form, g.value(formTypes[form], 0))
			} else {
				add(form, g.changed(form))
			}
		}
	}
	return lines
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // the test has no such value
	}
	return string(text)
}
