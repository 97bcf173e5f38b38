package replay

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

const vectors = "../../testdata/vectors"

// recording is one file of testdata/vectors: its header and the frames in the order in which they passed.
type recording struct {
	name      string // folder/scenario
	folder    string
	scenario  string
	client    generation
	server    generation
	results   []*node
	frames    []frame
	closedBy  string // who closed first: client, server, harness; "" if nobody did
	closeCode string
	closedAt  int // after so many frames
}

// frame is one WebSocket message.
type frame struct {
	number   int // from 1, as in the manifest
	toServer bool
	injected bool // written by the test, not by kkrpc
	text     string
}

// generation is what one side of a recording ran.
type generation struct {
	version   string // 0.2.2, 0.7.0 or 2.1.0
	variant   string // streaming, remote-refs or ""
	superJSON bool
}

func (g generation) classic() bool { return g.version != "2.1.0" }

func (g generation) dialect() kkrpc.Dialect {
	switch {
	case g.classic() && g.superJSON:
		return kkrpc.ClassicSuperJSON
	case g.classic():
		return kkrpc.Classic
	case g.superJSON:
		return kkrpc.CompactSuperJSON
	}
	return kkrpc.Compact
}

func parseGeneration(name string) generation {
	version, rest, _ := strings.Cut(name, "-")
	g := generation{version: version, superJSON: strings.HasSuffix(rest, "superjson")}
	for _, v := range []string{"streaming", "remote-refs"} {
		if strings.HasPrefix(rest, v) {
			g.variant = v
		}
	}
	return g
}

// loadRecordings reads them all, sorted by name.
func loadRecordings(t testing.TB) []*recording {
	files, err := filepath.Glob(filepath.Join(vectors, "*", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings in %s: %v", vectors, err)
	}
	sort.Strings(files)
	var all []*recording
	for _, file := range files {
		r, err := loadRecording(file)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, r)
	}
	return all
}

func loadRecording(file string) (*recording, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	folder := filepath.Base(filepath.Dir(file))
	base := strings.TrimSuffix(filepath.Base(file), ".jsonl")
	r := &recording{name: folder + "/" + base, folder: folder}
	if from, to, ok := strings.Cut(base, "--to-"); ok {
		r.scenario, r.client, r.server = "cross", parseGeneration(from), parseGeneration(to)
	} else {
		r.scenario, r.client = base, parseGeneration(folder)
		r.server = r.client
	}
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		n, err := parseJSON(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if i > 0 {
			r.frames = append(r.frames, frame{
				number: i, toServer: n.get("dir").str() == "c2s", injected: n.get("injected") != nil, text: n.get("frame").str(),
			})
			continue
		}
		r.results = n.get("results").array()
		for _, c := range n.get("closed").array()[:min(1, len(n.get("closed").array()))] {
			r.closedBy, r.closeCode = c.get("by").str(), c.get("code").text
			fmt.Sscan(c.get("afterFrames").text, &r.closedAt)
		}
	}
	return r, nil
}
