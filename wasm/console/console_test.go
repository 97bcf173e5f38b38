package console

import (
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHandler(t *testing.T) {
	type line struct {
		Level int32
		Text  string
	}
	var got []line
	withoutTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	h := newHandler(&slog.HandlerOptions{Level: slog.LevelDebug - 1, ReplaceAttr: withoutTime}, func(level int32, text []byte) {
		got = append(got, line{level, string(text)})
	})
	log := slog.New(h)
	for _, level := range []slog.Level{slog.LevelDebug - 2, slog.LevelDebug - 1, slog.LevelInfo - 1, slog.LevelInfo, slog.LevelWarn - 1, slog.LevelWarn, slog.LevelError, slog.LevelError + 5} {
		log.Log(t.Context(), level, "a\nb")
	}
	log.With("id", 7).WithGroup("g").Warn("c", "d", 1)
	want := []line{
		{levelDebug, `level=DEBUG-1 msg="a\nb"`},
		{levelDebug, `level=DEBUG+3 msg="a\nb"`},
		{levelInfo, `level=INFO msg="a\nb"`},
		{levelInfo, `level=INFO+3 msg="a\nb"`},
		{levelWarn, `level=WARN msg="a\nb"`},
		{levelError, `level=ERROR msg="a\nb"`},
		{levelError, `level=ERROR+5 msg="a\nb"`},
		{levelWarn, `level=WARN msg=c id=7 g.d=1`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
