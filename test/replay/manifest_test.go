package replay

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// manifestFile has one line for each recording:
//
//	2.1.0-json/errors | server: replayed, but 12 14 difference:causes; 30 wording | client: replayed
//	2.1.0-json/framing-split | server: replayed | client: codec (injected)
//
// The numbers are frames that are not as recorded, each for a reason from the closed list below. What is not replayed
// still goes through the codec: the tests of internal/wire read and write the frames of every file.
var manifestFile = filepath.Join(vectors, "manifest")

// reasons is the closed list.
var reasons = map[string]string{
	"difference": "we differ on purpose; docs/security.md has the key behind the colon",
	"wording":    "only the words of a JavaScript engine's exception differ",
	"injected":   "client only: the frames to the server were written by the test, so there is nothing to repeat",
}

type entry struct {
	name           string
	server, client verdict
}

// verdict is what is done with one direction of a recording.
type verdict struct {
	reason string         // why it is left to the codec; "" when it is replayed
	except map[int]string // frame to reason
}

func loadManifest(t *testing.T) []entry {
	text, err := os.ReadFile(manifestFile)
	if err != nil {
		t.Fatal(err)
	}
	var entries []entry
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		e, err := parseEntry(line)
		if err != nil {
			t.Fatalf("%s:%d: %v", manifestFile, i+1, err)
		}
		entries = append(entries, e)
	}
	return entries
}

func parseEntry(line string) (e entry, err error) {
	parts := strings.Split(line, " | ")
	if len(parts) != 3 {
		return e, fmt.Errorf("want three parts, not %q", line)
	}
	e.name = parts[0]
	if e.server, err = parseVerdict("server", parts[1]); err != nil {
		return e, err
	}
	e.client, err = parseVerdict("client", parts[2])
	return e, err
}

func parseVerdict(side, text string) (v verdict, err error) {
	text, ok := strings.CutPrefix(text, side+": ")
	if !ok {
		return v, fmt.Errorf("want %s: in %q", side, text)
	}
	if reason, ok := strings.CutPrefix(text, "codec ("); ok {
		v.reason = strings.TrimSuffix(reason, ")")
		return v, checkReason(v.reason)
	}
	text, ok = strings.CutPrefix(text, "replayed")
	if !ok {
		return v, fmt.Errorf("want replayed or codec in %q", text)
	}
	v.except = map[int]string{}
	if text == "" {
		return v, nil
	}
	text, ok = strings.CutPrefix(text, ", but ")
	if !ok {
		return v, fmt.Errorf("want , but before %q", text)
	}
	for group := range strings.SplitSeq(text, "; ") {
		words := strings.Fields(group)
		reason := words[len(words)-1]
		if err := checkReason(reason); err != nil {
			return v, err
		}
		for _, w := range words[:len(words)-1] {
			n, err := strconv.Atoi(w)
			if err != nil {
				return v, err
			}
			v.except[n] = reason
		}
	}
	return v, nil
}

func checkReason(reason string) error {
	kind, _, _ := strings.Cut(reason, ":")
	if _, ok := reasons[kind]; !ok {
		return fmt.Errorf("%q is no reason", reason)
	}
	return nil
}

// left counts what is not replayed. Changing a number here is changing what this module promises.
var left = map[string]int{
	"client files injected":                       76,
	"client frames difference:cycles":             9,
	"client frames difference:destroy":            4,
	"client frames difference:error-cause":        2,
	"client frames difference:error-forms":        36,
	"client frames difference:error-text":         4,
	"client frames difference:released":           4,
	"client frames difference:root":               2,
	"client frames difference:shared-arguments":   3,
	"client frames difference:stream-return":      4,
	"client frames difference:stream-throw":       4,
	"client frames difference:unused-streams":     5,
	"server frames difference:annotations":        39,
	"server frames difference:answered":           43,
	"server frames difference:binary":             10,
	"server frames difference:buffer":             7,
	"server frames difference:classic-callbacks":  8,
	"server frames difference:cycles":             3,
	"server frames difference:error-cause":        13,
	"server frames difference:error-fields":       3,
	"server frames difference:error-forms":        14,
	"server frames difference:error-text":         3,
	"server frames difference:error-values":       16,
	"server frames difference:functions":          18,
	"server frames difference:huge-numbers":       3,
	"server frames difference:ref-parts":          2,
	"server frames difference:one-channel":        4,
	"server frames difference:refusals":           7,
	"server frames difference:registered":         241,
	"server frames difference:root":               4,
	"server frames difference:set":                78,
	"server frames difference:shared-arguments":   3,
	"server frames difference:stream-errors":      2,
	"server frames difference:stream-return":      27,
	"server frames difference:stream-throw":       3,
	"server frames difference:typed-arrays":       6,
	"server frames difference:undecodable":        20,
	"server frames difference:undefined-property": 6,
	"server frames difference:unencodable":        19,
	"server frames difference:unused-streams":     6,
	"server frames difference:values":             90,
	"server frames wording":                       51,
}

func TestManifestCounts(t *testing.T) {
	got := map[string]int{}
	for _, e := range loadManifest(t) {
		for side, v := range map[string]verdict{"server": e.server, "client": e.client} {
			if v.reason != "" {
				got[side+" files "+v.reason]++
			}
			for _, reason := range v.except {
				got[side+" frames "+reason]++
			}
		}
	}
	for key := range got {
		if got[key] != left[key] {
			t.Errorf("%q: %d, not %d", key, got[key], left[key])
		}
	}
	for key := range left {
		if got[key] == 0 {
			t.Errorf("%q: none, not %d", key, left[key])
		}
	}
}

func TestManifestListsEveryRecording(t *testing.T) {
	entries := loadManifest(t)
	var listed, recorded []string
	for _, e := range entries {
		listed = append(listed, e.name)
	}
	for _, r := range loadRecordings(t) {
		recorded = append(recorded, r.name)
	}
	if !slices.IsSorted(listed) {
		t.Error("the manifest is not sorted")
	}
	slices.Sort(recorded)
	if len(recorded) != 513 {
		t.Errorf("%d recordings, want 513", len(recorded))
	}
	for _, name := range recorded {
		if !slices.Contains(listed, name) {
			t.Errorf("%s is not in the manifest", name)
		}
	}
	if len(listed) != len(recorded) {
		t.Errorf("the manifest lists %d recordings, there are %d", len(listed), len(recorded))
	}
}

func TestDifferencesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range loadManifest(t) {
		for _, v := range []verdict{e.server, e.client} {
			all := []string{v.reason}
			for _, reason := range v.except {
				all = append(all, reason)
			}
			for _, reason := range all {
				key, ok := strings.CutPrefix(reason, "difference:")
				if !ok || seen[key] {
					continue
				}
				seen[key] = true
				if !strings.Contains(string(text), "| `"+key+"` |") {
					t.Errorf("docs/security.md has no row for %q", key)
				}
			}
		}
	}
	for line := range strings.Lines(string(text)) {
		if key, ok := strings.CutPrefix(line, "| `"); ok {
			if key, _, _ = strings.Cut(key, "`"); !seen[key] && !strings.Contains(line, "(not compared)") {
				t.Errorf("docs/security.md has a row for %q, which no recording in the manifest shows", key)
			}
		}
	}
}
