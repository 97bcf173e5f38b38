package superjson_test

import (
	"encoding/json"
	"testing"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// jsLine is a line for values.mjs, and one of its answers.
type jsLine struct {
	JS   string  `json:"js,omitempty"`
	Text *string `json:"text,omitempty"`
	OK   bool    `json:"ok,omitzero"`
	Why  string  `json:"why,omitzero"`
}

func values(t *testing.T, library, command string, lines []jsLine) []jsLine {
	t.Helper()
	input := make([]string, len(lines))
	for i, line := range lines {
		text, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		input[i] = string(text)
	}
	answers := make([]jsLine, len(lines))
	for i, answer := range nodeScript(t, input, "values.mjs", library, command) {
		if err := json.Unmarshal([]byte(answer), &answers[i]); err != nil {
			t.Fatal(err)
		}
	}
	return answers
}

// libraryWrites returns what a version of the library writes for JavaScript expressions, or JSON.stringify under the JSON
// modes.
func libraryWrites(t *testing.T, mode superjson.Mode, library string, expressions []string) []string {
	t.Helper()
	command := "write"
	if mode != superjson.ModeSuperJSON {
		command = "json"
	}
	lines := make([]jsLine, len(expressions))
	for i, js := range expressions {
		lines[i].JS = js
	}
	texts := make([]string, len(lines))
	for i, answer := range values(t, library, command, lines) {
		if answer.Text == nil {
			t.Fatalf("%s does not write %s: %s", library, expressions[i], answer.Why)
		}
		texts[i] = *answer.Text
	}
	return texts
}

// decodeWritten decodes what libraryWrites returned into v.
func decodeWritten(mode superjson.Mode, text string, v any) error {
	if mode == superjson.ModeSuperJSON {
		return superjson.Unmarshal([]byte(text), v)
	}
	return superjson.Decode(mode, []byte(text), nil, v)
}
