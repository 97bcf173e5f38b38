package plots

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// unit is how what a row costs is shown.
type unit int

const (
	micros unit = iota
	kilobytes
	megabytes
)

// group is bars that are compared with one kind of peer.
type group struct {
	title string
	unit  unit
	bars  []bar
}

// bar is a scenario.
type bar struct {
	label        string
	scenario     string
	ours, theirs subject
}

var (
	classicJSON      = subject{"go", "classic-json"}
	classicSuperJSON = subject{"go", "classic-superjson"}
	bun7JSON         = subject{"kkrpc0.7-bun", "classic-json"}
	bun7SuperJSON    = subject{"kkrpc0.7-bun", "classic-superjson"}
	bunStreams       = subject{"kkrpc2-bun", "compact-json"}
	bunPublish       = subject{"bun-echo", "echo"}
)

var ratioGroups = []group{
	{"Calls, beside kkrpc 2 on Bun with Hono", micros, []bar{
		{"add, 1 connection, 1 in flight", "add-1x1", ours, hono},
		{"add, 1 connection, 64 in flight", "add-1x64", ours, hono},
		{"add, 64 connections, 1 in flight", "add-64x1", ours, hono},
		{"add, 64 connections, 16 in flight", "add-64x16", ours, hono},
		{"add with TLS, 64 connections, 1 in flight", "add-tls-64x1", ours, hono},
		{"add with TLS, 64 connections, 16 in flight", "add-tls-64x16", ours, hono},
		{"echo of 1 KiB", "echo-1k", ours, hono},
		{"echo of 64 KiB", "echo-64k", ours, hono},
		{"placeOrder, 4.6 KB in", "orders", ours, hono},
		{"getUser, 250 bytes out", "user", ours, hono},
		{"getUsers, 24 KB out", "users", ours, hono},
	}},
	{"Calls of kkrpc 0.x, beside kkrpc 0.7 on Bun", micros, []bar{
		{"add, JSON", "add-64x16", classicJSON, bun7JSON},
		{"add, SuperJSON", "add-64x16", classicSuperJSON, bun7SuperJSON},
		{"placeOrder, SuperJSON", "orders", classicSuperJSON, bun7SuperJSON},
		{"getUsers, SuperJSON", "users", classicSuperJSON, bun7SuperJSON},
	}},
	{"Pushes, beside kkrpc 2 on Bun", micros, []bar{
		{"a callback, 10,000 in a row", "callbacks", ours, hono},
		{"an item of a stream", "stream-100k", ours, bunStreams},
	}},
	{"A message to each of its receivers, beside Bun's publish", micros, []bar{
		{"a room of 1,000", "room-1000", ours, bunPublish},
		{"a room of 10,000", "room-10000", ours, bunPublish},
		{"1,000 callbacks in a loop", "members-1000", ours, bunPublish},
		{"1,000 callbacks with Share", "members-1000-share", ours, bunPublish},
	}},
	{"Memory of an idle connection, beside kkrpc 2 on Bun with Hono", kilobytes, []bar{
		{"5,000 connections", "idle-5k", ours, hono},
		{"20,000 connections", "idle-20k", ours, hono},
		{"5,000 connections with TLS", "idle-tls-5k", ours, hono},
	}},
	{"All memory after calls, beside kkrpc 2 on Bun with Hono", megabytes, []bar{
		{"5,000 connections", "idle-after-calls", ours, hono},
		{"5,000 connections that have closed", "closed-after-calls", ours, hono},
	}},
}

// ratios is the picture of bars.
type ratios struct {
	groups []measuredGroup
	where  string
	most   float64 // of the axis
}

// measuredGroup is the bars of a group that were measured.
type measuredGroup struct {
	group
	bars []measuredBar
}

type measuredBar struct {
	bar
	ratio, mine, theirs float64
}

// newRatios leaves out what was not measured.
func newRatios(m measured) *ratios {
	r := &ratios{most: 1.2, where: m.where()}
	for _, g := range ratioGroups {
		of := measuredGroup{group: g}
		for _, b := range g.bars {
			mine, theirs, ok := m.pair(b.scenario, b.ours, b.theirs)
			if !ok || theirs.Cost() == 0 {
				continue
			}
			ratio := mine.Cost() / theirs.Cost()
			r.most = max(r.most, ratio)
			of.bars = append(of.bars, measuredBar{b, ratio, mine.Cost(), theirs.Cost()})
		}
		if len(of.bars) > 0 {
			r.groups = append(r.groups, of)
		}
	}
	// Longer bars are cut off: the number beside them says how long they are.
	r.most = min(math.Ceil(r.most*5)/5, longestBar)
	return r
}

const (
	longestBar  = 2.4
	rowHeight   = 17
	titleHeight = 27
	labelWidth  = 210
	numberWidth = 132
	axisHeight  = 24
)

func (r *ratios) rows() vg.Length {
	var h vg.Length
	for _, g := range r.groups {
		h += titleHeight + vg.Length(len(g.bars))*rowHeight
	}
	return h
}

func (r *ratios) size() (w, h vg.Length) {
	return 720, r.rows() + headHeight + axisHeight + footHeight + 2*margin
}

func (r *ratios) draw(c draw.Canvas, s style) {
	c = inside(c)
	c = s.head(c, "What this project costs beside Bun", "1 is what Bun takes for the same work; shorter is cheaper. Processor time of the server, or its memory.")
	c = s.foot(c, r.where)
	area := draw.Crop(c, labelWidth, -numberWidth, 0, 0)
	p := r.plot(s)
	p.Draw(area)
	data := p.DataCanvas(area)
	x, y := p.Transforms(&data)
	at := 0.0
	for _, g := range r.groups {
		c.FillText(s.bold(10.5, s.ink), vg.Point{X: c.Min.X, Y: y(at+titleHeight) + 7}, g.title)
		at += titleHeight
		for _, b := range g.bars {
			r.bar(c, s, g.unit, b, x, (y(at)+y(at+rowHeight))/2)
			at += rowHeight
		}
	}
	line := draw.LineStyle{Color: s.ink, Width: 1, Dashes: []vg.Length{3, 2}}
	at = 0
	for _, g := range r.groups { // not through the titles
		rows := float64(len(g.bars)) * rowHeight
		c.StrokeLine2(line, x(1), y(at+titleHeight), x(1), y(at+titleHeight+rows))
		at += titleHeight + rows
	}
}

// plot is the axis. The rows count from the top, in points.
func (r *ratios) plot(s style) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.HideY()
	p.X.Min, p.X.Max = 0, r.most
	p.Y.Min, p.Y.Max = 0, r.rows().Points()
	p.Y.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}}
	p.X.Padding = 2
	p.X.LineStyle.Width = 0
	p.X.Tick.LineStyle.Width = 0
	p.X.Tick.Label = s.text(9, s.muted)
	p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = text.XCenter, text.YTop
	var ticks plot.ConstantTicks
	for v := 0.0; v <= r.most+1e-9; v += 0.2 {
		if label := fmt.Sprintf("%.1f", v); r.most <= 1.6 || math.Mod(math.Round(v*10), 4) == 0 || label == "1.0" {
			ticks = append(ticks, plot.Tick{Value: v, Label: label})
		}
	}
	p.X.Tick.Marker = ticks
	return p
}

func (r *ratios) bar(c draw.Canvas, s style, u unit, b measuredBar, x func(float64) vg.Length, y vg.Length) {
	const half = 5
	c.FillPolygon(s.track, rectangle(x(0), y-half, x(r.most), y+half))
	fill := s.ours
	if b.ratio > 1 {
		fill = s.dearer
	}
	end := x(min(b.ratio, r.most))
	c.FillPolygon(fill, rectangle(x(0), y-half, end, y+half))
	if b.ratio > r.most { // a cut, since the bar is longer
		c.FillPolygon(s.background, []vg.Point{{X: end - 14, Y: y - half}, {X: end - 11, Y: y - half}, {X: end - 7, Y: y + half}, {X: end - 10, Y: y + half}})
	}
	label := s.text(9.5, s.ink)
	label.XAlign = text.XRight
	c.FillText(label, vg.Point{X: x(0) - 8, Y: y}, b.label)
	number := s.bold(9.5, fill)
	number.XAlign = text.XRight
	right := x(r.most)
	c.FillText(number, vg.Point{X: right + 36, Y: y}, fmt.Sprintf("%.2f", b.ratio))
	c.FillText(s.text(8.5, s.muted), vg.Point{X: right + 46, Y: y}, u.both(b.mine, b.theirs))
}

// both says what two rows cost.
func (u unit) both(mine, theirs float64) string {
	scale, name := 1.0, "µs"
	switch u {
	case kilobytes:
		scale, name = 1e3, "KB"
	case megabytes:
		scale, name = 1e6, "MB"
	}
	return fmt.Sprintf("%s of %s %s", short(mine/scale), short(theirs/scale), name)
}

// short is a number with three digits.
func short(v float64) string {
	switch {
	case v < 9.995:
		return fmt.Sprintf("%.2f", v)
	case v < 99.95:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.0f", v)
	}
}
