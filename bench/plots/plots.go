// Package plots draws what bench has measured, in SVG, each picture once for light pages and once for dark ones.
// ratios-light.svg and ratios-dark.svg show what this project costs beside Bun, latency-light.svg and latency-dark.svg the
// percentiles of both.
package plots

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/kkrpc-go/kkrpc/bench/results"
)

// picture can be drawn.
type picture interface {
	size() (w, h vg.Length)
	draw(c draw.Canvas, s style)
}

// ErrNothing is the error of documents that have no scenario of any picture with the peers that it compares.
var ErrNothing = errors.New("nothing to draw: bench did not measure go beside kkrpc2-bun-hono, kkrpc0.7-bun or bun-echo")

// Draw makes a folder and writes the pictures to it that the documents have something for. It returns their files. Of a
// scenario that several documents have, the last one counts.
func Draw(dir string, documents ...*results.Document) (files []string, err error) {
	m := measured(documents)
	var all []named
	if p := newRatios(m); len(p.groups) > 0 {
		all = append(all, named{"ratios", p})
	}
	if p := newLatency(m); len(p.panels) > 0 {
		all = append(all, named{"latency", p})
	}
	if len(all) == 0 {
		return nil, ErrNothing
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, p := range all {
		for _, mode := range []mode{light, dark} {
			file := filepath.Join(dir, p.name+"-"+mode.name+".svg")
			if err := os.WriteFile(file, svg(p, mode), 0o644); err != nil {
				return nil, err
			}
			files = append(files, file)
		}
	}
	return files, nil
}

type named struct {
	name string
	picture
}

// measured is the documents that are drawn.
type measured []*results.Document

// subject is a peer that speaks a dialect.
type subject struct{ peer, dialect string }

var (
	ours = subject{"go", "compact-json"}
	hono = subject{"kkrpc2-bun-hono", "compact-json"}
)

// pair returns the medians of two rows of a scenario. Both are of one document, since only these can be compared.
func (m measured) pair(scenario string, one, other subject) (a, b results.Sample, ok bool) {
	for i := len(m) - 1; i >= 0; i-- {
		first, second := m[i].Row(scenario, one.peer, one.dialect), m[i].Row(scenario, other.peer, other.dialect)
		if first != nil && second != nil {
			a, _ = first.Median()
			b, _ = second.Median()
			return a, b, true
		}
	}
	return a, b, false
}

// where says on what the last document was measured, when and how.
func (m measured) where() string {
	if len(m) == 0 {
		return ""
	}
	d := m[len(m)-1]
	text := fmt.Sprintf("%s, %s, Go %s, Bun %s, kkrpc %s, %s; %d × %.0f ms", d.Processor, d.System, d.Versions["go"], d.Versions["bun"],
		d.Versions["kkrpc 2"], d.Date.Format("2 January 2006"), d.Runs, 1000*d.Seconds)
	if d.Others > results.Quiet {
		text += fmt.Sprintf("; other programs had %.0f %% of the cores", 100*d.Others)
	}
	return text
}
