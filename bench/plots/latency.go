package plots

import (
	"image/color"
	"math"
	"strconv"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/kkrpc-go/kkrpc/bench/results"
)

// panel is the percentiles of a scenario.
type panel struct {
	title        string
	scenario     string
	mine, others []time.Duration // in the order of percentiles
}

var panels = []panel{
	{title: "add, 64 connections, 1 in flight", scenario: "add-64x1"},
	{title: "add, 64 connections, 16 in flight", scenario: "add-64x16"},
	{title: "add with TLS, 64×16", scenario: "add-tls-64x16"},
	{title: "placeOrder, 4.6 KB in, 16×4", scenario: "orders"},
	{title: "getUsers, 24 KB out, 16×4", scenario: "users"},
	{title: "echo of 64 KiB, 4×2", scenario: "echo-64k"},
}

var percentiles = []string{"50 %", "90 %", "99 %", "99.9 %"}

func percentilesOf(s results.Sample) []time.Duration {
	return []time.Duration{s.P50, s.P90, s.P99, s.P999}
}

// latency is the picture of panels.
type latency struct {
	panels []panel
	where  string
}

// newLatency leaves out what was not measured.
func newLatency(m measured) *latency {
	l := &latency{where: m.where()}
	for _, p := range panels {
		mine, others, ok := m.pair(p.scenario, ours, hono)
		if !ok || mine.P999 == 0 || others.P999 == 0 {
			continue
		}
		p.mine, p.others = percentilesOf(mine), percentilesOf(others)
		l.panels = append(l.panels, p)
	}
	return l
}

const (
	columns     = 3
	panelHeight = 190
	panelGap    = 16
	keyHeight   = 22
)

func (l *latency) lines() int { return (len(l.panels) + columns - 1) / columns }

func (l *latency) size() (w, h vg.Length) {
	n := vg.Length(l.lines())
	return 720, n*panelHeight + (n-1)*panelGap + keyHeight + headHeight + footHeight + 2*margin
}

func (l *latency) draw(c draw.Canvas, s style) {
	c = inside(c)
	c = s.head(c, "How long calls take", "The share of calls that took at most so long, in a closed loop. The time is on a logarithmic scale; lower is quicker.")
	c = s.foot(c, l.where)
	s.key(c)
	c = draw.Crop(c, 0, 0, 0, -keyHeight)
	tiles := draw.Tiles{Cols: columns, Rows: l.lines(), PadX: panelGap, PadY: panelGap}
	for i, p := range l.panels {
		p.draw(tiles.At(c, i%columns, i/columns), s)
	}
}

// key says which line is whose.
func (s style) key(c draw.Canvas) {
	x, y := c.Min.X, c.Max.Y-4
	for _, k := range []struct {
		name  string
		color color.Color
	}{{"this project", s.ours}, {"kkrpc 2 on Bun with Hono", s.theirs}} {
		c.StrokeLine2(draw.LineStyle{Color: k.color, Width: 2.2}, x, y, x+18, y)
		c.DrawGlyphNoClip(draw.GlyphStyle{Color: k.color, Radius: 3, Shape: draw.CircleGlyph{}}, vg.Point{X: x + 9, Y: y})
		label := s.text(9.5, s.ink)
		c.FillText(label, vg.Point{X: x + 24, Y: y}, k.name)
		x += 24 + label.Width(k.name) + 24
	}
}

func (l panel) draw(c draw.Canvas, s style) {
	c.FillText(s.bold(10, s.ink), vg.Point{X: c.Min.X, Y: c.Max.Y - 7}, l.title)
	c = draw.Crop(c, 0, 0, 0, -20)
	p := plot.New()
	p.BackgroundColor = nil
	low, high := l.bounds()
	p.X.Min, p.X.Max = 0, float64(len(percentiles)-1)
	p.Y.Min, p.Y.Max = low, high
	p.Y.Scale = plot.LogScale{}
	p.Y.Tick.Marker = durations(low, high)
	names := make(plot.ConstantTicks, len(percentiles))
	for i, name := range percentiles {
		names[i] = plot.Tick{Value: float64(i), Label: name}
	}
	p.X.Tick.Marker = names
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.LineStyle.Width, axis.Tick.LineStyle.Width = 0, 0
		axis.Tick.Length = 3
		x, y := axis.Tick.Label.XAlign, axis.Tick.Label.YAlign
		axis.Tick.Label = s.text(8.5, s.muted)
		axis.Tick.Label.XAlign, axis.Tick.Label.YAlign = x, y
	}
	p.X.Padding, p.Y.Padding = 6, 6
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal = draw.LineStyle{Color: s.grid, Width: 0.6}
	p.Add(grid)
	s.curve(p, l.others, s.theirs)
	s.curve(p, l.mine, s.ours)
	area := draw.Crop(c, 0, -endWidth, 0, 0)
	p.Draw(area)
	data := p.DataCanvas(area)
	x, y := p.Transforms(&data)
	last := len(percentiles) - 1
	upper, lower := s.end(l.mine[last], s.ours), s.end(l.others[last], s.muted)
	if l.others[last] > l.mine[last] {
		upper, lower = lower, upper
	}
	// Numbers of points that are close keep a distance.
	apart := max(0, endDistance-(y(upper.at)-y(lower.at))) / 2
	c.FillText(upper.style, vg.Point{X: x(float64(last)) + 7, Y: y(upper.at) + apart}, upper.text)
	c.FillText(lower.style, vg.Point{X: x(float64(last)) + 7, Y: y(lower.at) - apart}, lower.text)
}

const (
	endWidth    = 30 // of the numbers beside the last points
	endDistance = 11
)

// end is the number beside a last point.
type end struct {
	at    float64
	text  string
	style text.Style
}

func (s style) end(d time.Duration, c color.Color) end {
	return end{float64(d), duration(d), s.bold(8.5, c)}
}

func (s style) curve(p *plot.Plot, times []time.Duration, c color.Color) {
	points := make(plotter.XYs, len(times))
	for i, t := range times {
		points[i] = plotter.XY{X: float64(i), Y: float64(t)}
	}
	// These fail for numbers that are not finite, which no duration is.
	line := &plotter.Line{XYs: points, LineStyle: draw.LineStyle{Color: c, Width: 2.2}}
	dots := &plotter.Scatter{XYs: points, GlyphStyle: draw.GlyphStyle{Color: c, Radius: 3, Shape: draw.CircleGlyph{}}}
	p.Add(line, dots)
}

// bounds are round numbers around what is drawn.
func (l panel) bounds() (low, high float64) {
	low, high = math.Inf(1), 0
	for _, times := range [][]time.Duration{l.mine, l.others} {
		for _, t := range times {
			low, high = min(low, float64(t)), max(high, float64(t))
		}
	}
	return low / 1.5, high * 1.5
}

// durations are ticks at 1, 2 and 5 times the powers of ten, or at 1 alone if there were too many.
func durations(low, high float64) plot.ConstantTicks {
	steps := []float64{1, 2, 5}
	if high/low > 100 {
		steps = steps[:1]
	}
	var ticks plot.ConstantTicks
	for power := math.Pow(10, math.Floor(math.Log10(low))); power <= high; power *= 10 {
		for _, step := range steps {
			if v := power * step; v >= low && v <= high {
				ticks = append(ticks, plot.Tick{Value: v, Label: duration(time.Duration(math.Round(v)))})
			}
		}
	}
	return ticks
}

// duration is a time with up to two digits after the point.
func duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return trim(float64(d)/1e3) + " µs"
	case d < time.Second:
		return trim(float64(d)/1e6) + " ms"
	default:
		return trim(d.Seconds()) + " s"
	}
}

// trim is a number with two digits.
func trim(v float64) string {
	if v >= 10 {
		return strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	}
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}
