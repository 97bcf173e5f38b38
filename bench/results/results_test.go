package results_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/bench/results"
)

func TestReadWhatWasWritten(t *testing.T) {
	d := &results.Document{
		Date: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), System: "linux/amd64", Processor: "p", Cores: 2, Versions: map[string]string{"go": "1.26"},
		Runs: 3, Seconds: 0.4, Each: true, Pinned: true, Others: 0.01,
		Scenarios: []results.Scenario{{Name: "s", About: "about", Base: "b", Rate: true}},
		Rows: []*results.Row{
			{Scenario: "s", Peer: "a", Dialect: "d", Samples: []results.Sample{{CPU: 1, Rate: 2, P50: 3, P90: 4, P99: 5, P999: 6, Server: 7, Generator: 8, Others: 9, Parsed: 10, Bytes: 11, Resident: 12, Collected: 13, Note: "n"}}},
			{Scenario: "s", Peer: "b", Dialect: "d", Absent: "no reason"},
		},
		Goals: []results.Goal{{Goal: "g", Most: 1, Got: 0.5, Met: true}, {Goal: "h", Least: 1, Why: "why"}},
	}
	file := filepath.Join(t.TempDir(), "results.json")
	if err := d.Write(file); err != nil {
		t.Fatal(err)
	}
	got, err := results.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, d) {
		t.Errorf("got %+v, want %+v", got, d)
	}
	if r := got.Row("s", "a", "d"); r == nil || r.Samples[0].CPU != 1 {
		t.Errorf("row %+v", r)
	}
	if r := got.Row("s", "b", "d"); r != nil {
		t.Errorf("a row without samples: %+v", r)
	}
}

func TestReadSomethingElse(t *testing.T) {
	for name, text := range map[string]string{"no JSON": "oops", "another member": `{"dates": 1}`} {
		file := filepath.Join(t.TempDir(), "results.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := results.Read(file); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestMedian(t *testing.T) {
	r := &results.Row{Samples: []results.Sample{
		{CPU: 4, P50: 1, P90: 10, P99: 100, P999: 1000, Note: "note"},
		{CPU: 1, P50: 2, P90: 20, P99: 200, P999: 2000},
		{CPU: 2, P50: 3, P90: 30, P99: 300, P999: 3000},
	}}
	m, spread := r.Median()
	want := results.Sample{CPU: 2, P50: 2, P90: 20, P99: 200, P999: 2000, Note: "note"}
	if m != want || spread != 0.75 {
		t.Errorf("got %+v ± %v, want %+v ± 0.75", m, spread, want)
	}
}

// TestCost: ratios compare memory where it was measured.
func TestCost(t *testing.T) {
	for want, s := range map[float64]results.Sample{
		1: {CPU: 1, Rate: 9, Collected: 9}, 2: {CPU: 9, Bytes: 2}, 3: {CPU: 9, Resident: 3, Collected: 9},
	} {
		if got := s.Cost(); got != want {
			t.Errorf("%+v costs %v, want %v", s, got, want)
		}
	}
}

func TestStarved(t *testing.T) {
	for _, tt := range []struct {
		name   string
		sample results.Sample
		want   bool
	}{
		{"both are busy", results.Sample{Server: 0.98, Generator: 0.99}, false},
		{"the server waits", results.Sample{Server: 0.5, Generator: 0.99}, true},
		{"both wait", results.Sample{Server: 0.5, Generator: 0.5}, false},
	} {
		if got := tt.sample.Starved(); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
