package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// baseline is how many instructions each case takes, by its name. Another compiler makes other ones.
type baseline struct {
	Platform     string           `json:"platform"`
	Instructions map[string]int64 `json:"instructions"`
}

func readBaseline(file string) (b baseline, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return b, err
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return b, fmt.Errorf("%s: %w", file, err)
	}
	return b, nil
}

func (b baseline) write(file string) error {
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// platform is the version of Go, without that of its corrections, and what it compiles for.
func platform() string {
	version, _, _ := strings.Cut(runtime.Version(), " ") // what follows are experiments
	if parts := strings.SplitN(version, ".", 3); len(parts) == 3 {
		version = parts[0] + "." + parts[1]
	}
	return fmt.Sprintf("%s %s/%s", version, runtime.GOOS, runtime.GOARCH)
}

type verdict int

const (
	same verdict = iota
	dearer
	cheaper // has to become the baseline, else what was won may be lost again
	unknown
)

// tolerance is how far from the baseline a case may be, in percent.
const tolerance = 5

func judge(want, got int64) verdict {
	switch {
	case want == 0:
		return unknown
	case got*100 > want*(100+tolerance):
		return dearer
	case got*100 < want*(100-tolerance):
		return cheaper
	default:
		return same
	}
}

func describe(want, got int64, v verdict) string {
	if v == unknown {
		return "not in the baseline"
	}
	text := fmt.Sprintf("%+.1f %%", 100*(float64(got)/float64(want)-1))
	switch v {
	case dearer:
		text += " TOO MANY"
	case cheaper:
		text += " FEWER"
	}
	return text
}
