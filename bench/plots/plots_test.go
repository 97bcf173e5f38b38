package plots

import (
	"encoding/xml"
	"errors"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"github.com/kkrpc-go/kkrpc/bench/results"
)

// row is a row that was measured once.
func row(scenario string, s subject, sample results.Sample) *results.Row {
	return &results.Row{Scenario: scenario, Peer: s.peer, Dialect: s.dialect, Samples: []results.Sample{sample}}
}

// everything is a document with all that the pictures can show. Ours costs ratio times as much.
func everything(ratio float64) *results.Document {
	d := &results.Document{Processor: "a processor with a long name, 64 cores", System: "linux/amd64", Others: 0.5, Runs: 3, Seconds: 0.4,
		Versions: map[string]string{"go": "1.26.8", "bun": "1.4.5", "kkrpc 2": "2.1.0"}, Date: time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)}
	for _, g := range ratioGroups {
		for _, b := range g.bars {
			theirs := results.Sample{CPU: 1000, P50: 1e6, P90: 2e6, P99: 4e6, P999: 8e8}
			switch g.unit {
			case kilobytes:
				theirs.Bytes = 5000
			case megabytes:
				theirs.Resident = 250e6
			}
			mine := theirs
			mine.CPU, mine.Bytes, mine.Resident = mine.CPU*ratio, mine.Bytes*ratio, mine.Resident*ratio
			mine.P999 = 7e8
			d.Rows = append(d.Rows, row(b.scenario, b.ours, mine), row(b.scenario, b.theirs, theirs))
		}
	}
	return d
}

func TestRatios(t *testing.T) {
	cost := func(us float64) results.Sample { return results.Sample{CPU: us} }
	d := &results.Document{Rows: []*results.Row{
		row("add-64x16", ours, cost(1)), row("add-64x16", hono, cost(4)),
		row("add-1x1", ours, cost(5)), // Bun was not measured
		row("echo-1k", hono, cost(5)), // this project was not
		row("orders", ours, cost(6)), row("orders", hono, cost(4)),
		{Scenario: "echo-64k", Peer: ours.peer, Dialect: ours.dialect, Absent: "no reason"}, row("echo-64k", hono, cost(4)),
		row("idle-5k", ours, results.Sample{CPU: 100, Bytes: 6000}), row("idle-5k", hono, results.Sample{CPU: 1, Bytes: 5000}),
		row("idle-after-calls", ours, results.Sample{CPU: 100, Resident: 30e6}), row("idle-after-calls", hono, results.Sample{CPU: 1, Resident: 60e6}),
	}}
	got := map[string]float64{}
	for _, g := range newRatios(measured{d}).groups {
		for _, b := range g.bars {
			got[b.scenario] = b.ratio
		}
	}
	want := map[string]float64{"add-64x16": 0.25, "orders": 1.5, "idle-5k": 1.2, "idle-after-calls": 0.5}
	if len(got) != len(want) {
		t.Errorf("bars of %v, want %v", got, want)
	}
	for name, ratio := range want {
		if got[name] != ratio {
			t.Errorf("%s is %v, want %v", name, got[name], ratio)
		}
	}
}

// TestRatiosOfOneDocument: rows of two documents are never compared, and the last that has both counts.
func TestRatiosOfOneDocument(t *testing.T) {
	pair := func(mine, theirs float64) *results.Document {
		return &results.Document{Rows: []*results.Row{
			row("add-64x16", ours, results.Sample{CPU: mine}), row("add-64x16", hono, results.Sample{CPU: theirs}),
		}}
	}
	alone := &results.Document{Rows: []*results.Row{row("add-64x16", ours, results.Sample{CPU: 100})}}
	r := newRatios(measured{pair(1, 2), pair(3, 4), alone})
	if len(r.groups) != 1 || len(r.groups[0].bars) != 1 || r.groups[0].bars[0].ratio != 0.75 {
		t.Errorf("%+v", r.groups)
	}
}

func TestLatency(t *testing.T) {
	times := results.Sample{P50: 1, P90: 2, P99: 3, P999: 4}
	d := &results.Document{Rows: []*results.Row{
		row("add-64x16", ours, times), row("add-64x16", hono, results.Sample{P50: 5, P90: 6, P99: 7, P999: 8}),
		row("orders", ours, times),                                                    // Bun was not measured
		row("users", ours, times), row("users", hono, results.Sample{P50: 5, P99: 7}), // by a client without all percentiles
	}}
	l := newLatency(measured{d})
	if len(l.panels) != 1 || l.panels[0].scenario != "add-64x16" || !slices.Equal(l.panels[0].mine, []time.Duration{1, 2, 3, 4}) ||
		!slices.Equal(l.panels[0].others, []time.Duration{5, 6, 7, 8}) {
		t.Errorf("%+v", l.panels)
	}
}

// TestScenariosExist finds a bar or a panel of a scenario that has another name.
func TestScenariosExist(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "scenario.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, g := range ratioGroups {
		for _, b := range g.bars {
			names = append(names, b.scenario)
		}
	}
	for _, p := range panels {
		names = append(names, p.scenario)
	}
	for _, name := range names {
		if !strings.Contains(string(source), `{name: "`+name+`"`) {
			t.Errorf("no scenario is called %s", name)
		}
	}
}

func TestDraw(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	files, err := Draw(dir, everything(0.5))
	if err != nil || len(files) != 4 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// Every text has a length, so that a reader's font cannot move it over something else.
		if n, fixed := strings.Count(string(text), "<text "), strings.Count(string(text), ` textLength="`); n == 0 || n != fixed {
			t.Errorf("%s: %d texts, of which %d have a length", file, n, fixed)
		}
		for decoder := xml.NewDecoder(strings.NewReader(string(text))); ; {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "ratios-dark.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{">0.50<", ">500 of 1000 µs<", ">2.50 of 5.00 KB<", ">125 of 250 MB<", "other programs had 50 % of the cores", "3 × 400 ms", "29 November 2026"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in the picture", want)
		}
	}
	if _, err := Draw(dir, &results.Document{}); !errors.Is(err, ErrNothing) {
		t.Errorf("error %v for a document without rows", err)
	}
}

// TestTextsFit finds texts that are outside of their picture or over each other.
func TestTextsFit(t *testing.T) {
	for _, ratio := range []float64{0.01, 0.5, 1, 1.5, 25} {
		m := measured{everything(ratio)}
		for name, p := range map[string]picture{"ratios": newRatios(m), "latency": newLatency(m)} {
			w, h := p.size()
			s := newStyle(light)
			var canvas recorder.Canvas
			p.draw(draw.NewCanvas(&canvas, w, h), s)
			type box struct {
				text           string
				x0, y0, x1, y1 float64
			}
			var boxes []box
			for _, action := range canvas.Actions {
				text, ok := action.(*recorder.FillString)
				if !ok {
					continue
				}
				style := s.text(text.Font.Size, light.ink)
				style.Font = text.Font
				x, y := text.Point.X, text.Point.Y
				b := box{text.String, x.Points(), y.Points(), (x + style.Width(text.String)).Points(), (y + 0.7*text.Font.Size).Points()}
				if b.x0 < margin-1 || b.y0 < margin-3 || b.x1 > w.Points()-margin+1 || b.y1 > h.Points()-margin+3 {
					t.Errorf("%s, ratio %v: %q is from %.0f, %.0f to %.0f, %.0f of %v × %v", name, ratio, b.text, b.x0, b.y0, b.x1, b.y1, w, h)
				}
				for _, other := range boxes {
					if b.x0 < other.x1 && other.x0 < b.x1 && b.y0 < other.y1 && other.y0 < b.y1 {
						t.Errorf("%s, ratio %v: %q is over %q", name, ratio, b.text, other.text)
					}
				}
				boxes = append(boxes, b)
			}
			if len(boxes) < 30 {
				t.Errorf("%s, ratio %v: %d texts", name, ratio, len(boxes))
			}
		}
	}
}

// TestContrast: what is read has 4.5 times the luminance of its background or the reverse, as WCAG asks for text, what is
// only looked at 3 times.
func TestContrast(t *testing.T) {
	for _, m := range []mode{light, dark} {
		for name, c := range map[string]color.Color{"ink": m.ink, "muted": m.muted, "ours": m.ours, "dearer": m.dearer} {
			if got := contrast(c, m.background); got < 4.5 {
				t.Errorf("%s, %s: a contrast of %.1f", m.name, name, got)
			}
		}
		if got := contrast(m.theirs, m.background); got < 3 {
			t.Errorf("%s, theirs: a contrast of %.1f", m.name, got)
		}
	}
}

func contrast(a, b color.Color) float64 {
	x, y := luminance(a)+0.05, luminance(b)+0.05
	return max(x, y) / min(x, y)
}

// luminance is that of WCAG 2.
func luminance(c color.Color) float64 {
	linear := func(v uint32) float64 {
		f := float64(v) / 0xffff
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	r, g, b, _ := c.RGBA()
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		950 * time.Nanosecond: "1 µs", 1500 * time.Nanosecond: "1.5 µs", 250 * time.Microsecond: "250 µs", 999_999: "1000 µs",
		1_230_000: "1.2 ms", 98_700_000: "99 ms", 1500 * time.Millisecond: "1.5 s",
	} {
		if got := duration(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
