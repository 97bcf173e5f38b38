package tsgen

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"
)

//go:embed checks.ts
var checksText string

// helperNames are the names of the helpers in checks.ts in their order, and helperText what declares each.
var helperNames, helperText = readHelpers(checksText)

var (
	declared = regexp.MustCompile(`(?m)^(?:export )?(?:function|interface|type|const) (\w+)`)
	// word is a name, or a comment, a string or a member, which only look like one.
	word = regexp.MustCompile(`/\*.*?\*/|"[^"\n]*"|\.?[\w$]+`)
)

func readHelpers(text string) (names []string, texts map[string]string) {
	texts = map[string]string{}
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if m := declared.FindStringSubmatch(block); m != nil {
			names = append(names, m[1])
			texts[m[1]] = block
		}
	}
	return names, texts
}

// globals are the objects of JavaScript that the helpers use. A type or an object of the API may hide them.
var globals = strings.Fields("Array Date Math Number Object RegExp Set String Uint8Array PropertyKey Record")

// writeHelpers writes the helpers that schemas use, and those that these use.
func (w *checks) writeHelpers() {
	for i := 0; i < len(helperNames); i++ { // until all are known
		name := helperNames[i]
		if !w.helpers[name] {
			continue
		}
		for _, used := range word.FindAllString(helperText[name], -1) {
			if helperText[used] != "" && !w.helpers[used] {
				w.helpers[used] = true
				i = -1
			}
		}
	}
	for _, name := range helperNames {
		if !w.helpers[name] {
			continue
		}
		text := word.ReplaceAllStringFunc(helperText[name], func(used string) string {
			switch {
			case helperText[used] != "":
				return w.freeName(used)
			case w.taken[used] != "" && slices.Contains(globals, used):
				return "globalThis." + used
			}
			return used
		})
		w.line("")
		w.line("%s", text)
	}
}
