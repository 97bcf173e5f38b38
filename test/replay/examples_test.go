package replay

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestProtocolExamples finds every frame that docs/protocol.md shows in a recording, but for our own qc and the questions for the dialect.
// In the page an identifier is cut short by an ellipsis, and stacks are left out.
func TestProtocolExamples(t *testing.T) {
	text, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	recorded := map[string]bool{}
	stacks := strings.NewReplacer(`,"s":"<stack>"`, "", `,"stack":"<stack>"`, "")
	for _, r := range loadRecordings(t) {
		for _, f := range r.frames {
			for line := range strings.Lines(f.text) {
				recorded[stacks.Replace(strings.TrimSuffix(line, "\n"))] = true
			}
		}
	}
	examples := 0
	for line := range strings.Lines(string(text)) {
		example, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "    {")
		if !ok || strings.Contains(example, `"t":"qc"`) || strings.Contains(example, "kkrpc:dialect") {
			continue
		}
		examples++
		start, _, shortened := strings.Cut("{"+example, "…")
		found := !shortened && recorded[start]
		if shortened {
			re := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta("{"+example), "…", `[0-9a-f-]*`) + "$")
			for line := range recorded {
				found = found || strings.HasPrefix(line, start) && re.MatchString(line)
			}
		}
		if !found {
			t.Errorf("in no recording: {%s", example)
		}
	}
	if examples < 20 {
		t.Errorf("only %d examples found", examples)
	}
}
