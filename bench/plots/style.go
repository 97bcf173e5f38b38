package plots

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"regexp"
	"strconv"

	"golang.org/x/image/font"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// mode is the colours of a picture. It has a background of its own, so that no page can make it illegible.
type mode struct {
	name                                string
	background, ink, muted, grid, track color.Color
	ours, theirs, dearer                color.Color
}

var (
	light = mode{
		name: "light", background: hex(0xffffff), ink: hex(0x1f2328), muted: hex(0x59636e), grid: hex(0xd8dee4), track: hex(0xf3f5f8),
		ours: hex(0x0b7285), theirs: hex(0x8c959f), dearer: hex(0xc2410c),
	}
	dark = mode{
		name: "dark", background: hex(0x0d1117), ink: hex(0xf0f6fc), muted: hex(0x9198a1), grid: hex(0x2b323b), track: hex(0x151b23),
		ours: hex(0x3bc9db), theirs: hex(0x7d8590), dearer: hex(0xff922b),
	}
)

func hex(rgb uint32) color.Color {
	return color.NRGBA{R: uint8(rgb >> 16), G: uint8(rgb >> 8), B: uint8(rgb), A: 255}
}

// style is a mode with what draws text.
type style struct {
	mode
	handler text.Handler
}

func newStyle(m mode) style { return style{m, text.Plain{Fonts: plotfont.DefaultCache}} }

// text is how text of a size and a colour looks, at the left of its position.
func (s style) text(size vg.Length, c color.Color) text.Style {
	return text.Style{Color: c, Font: plotfont.Font{Typeface: "Liberation", Variant: "Sans", Size: size}, YAlign: text.YCenter, Handler: s.handler}
}

func (s style) bold(size vg.Length, c color.Color) text.Style {
	t := s.text(size, c)
	t.Font.Weight = font.WeightBold
	return t
}

// svg draws a picture.
func svg(p picture, m mode) []byte {
	w, h := p.size()
	c := vgsvg.NewWith(vgsvg.UseWH(w, h))
	canvas := draw.NewCanvas(c, w, h)
	canvas.FillPolygon(m.background, rectangle(0, 0, w, h))
	s := newStyle(m)
	p.draw(canvas, s)
	var out bytes.Buffer
	_, _ = c.WriteTo(&out) // a bytes.Buffer takes everything
	return s.anyFont(out.Bytes())
}

// texts are the texts of an SVG as vgsvg writes them: before the font, its weight, its size, before the text, the text.
var texts = regexp.MustCompile(`(<text [^>]*?style=")font-family:Liberation Sans;([^>]*?font-weight:(normal|bold);[^>]*?font-size:([0-9.]+)px[^>]*?)>([^<]*)</text>`)

// anyFont gives each text the length that it is laid out with, and fonts of that length that a reader may have instead.
func (s style) anyFont(svg []byte) []byte {
	return texts.ReplaceAllFunc(svg, func(text []byte) []byte {
		part := texts.FindSubmatch(text)
		size, err := strconv.ParseFloat(string(part[4]), 64)
		if err != nil {
			return text
		}
		t := s.text(vg.Length(size), s.ink)
		if string(part[3]) == "bold" {
			t = s.bold(vg.Length(size), s.ink)
		}
		length := t.Width(html.UnescapeString(string(part[5])))
		return fmt.Appendf(nil, `%sfont-family:'Liberation Sans',Arial,Helvetica,sans-serif;%s textLength="%.1f" lengthAdjust="spacingAndGlyphs">%s</text>`,
			part[1], part[2], length.Points(), part[5])
	})
}

func rectangle(x0, y0, x1, y1 vg.Length) []vg.Point {
	return []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
}

// head draws a title and what it says more, and returns the canvas below.
func (s style) head(c draw.Canvas, title, more string) draw.Canvas {
	top := c.Max.Y
	c.FillText(s.bold(15, s.ink), vg.Point{X: c.Min.X, Y: top - 9}, title)
	c.FillText(s.text(10, s.muted), vg.Point{X: c.Min.X, Y: top - 27}, more)
	return draw.Crop(c, 0, 0, 0, -headHeight)
}

const headHeight = 42

// foot draws a line at the bottom, and returns the canvas above.
func (s style) foot(c draw.Canvas, line string) draw.Canvas {
	c.FillText(s.text(8.5, s.muted), vg.Point{X: c.Min.X, Y: c.Min.Y + 5}, line)
	return draw.Crop(c, 0, 0, footHeight, 0)
}

const footHeight = 20

// margin is around a picture.
const margin = 20

func inside(c draw.Canvas) draw.Canvas { return draw.Crop(c, margin, -margin, margin, -margin) }
