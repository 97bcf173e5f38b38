// Package results has what bench measured, in the form of the JSON file that it writes. Durations are in nanoseconds,
// memory is in bytes, and shares are between 0 and 1.
package results

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Document is all that one run of the program has measured. Times and ratios can be compared within one document only.
type Document struct {
	Date      time.Time         `json:"date"`      // of the end
	System    string            `json:"system"`    // the operating system and the architecture, as in linux/amd64
	Processor string            `json:"processor"` // its name
	Cores     int               `json:"cores"`
	Versions  map[string]string `json:"versions"` // of this project, "kkrpc-go", and of what it is compared with
	Runs      int               `json:"runs"`     // of each row; rows that take long have one
	Seconds   float64           `json:"seconds"`  // of each run
	Each      bool              `json:"each"`     // whether every request was written by itself
	Pinned    bool              `json:"pinned"`   // whether servers ran on one core and the generator on another
	Others    float64           `json:"others"`   // share of the cores that other programs had, the median of all runs
	Scenarios []Scenario        `json:"scenarios"`
	Rows      []*Row            `json:"rows"`
	Goals     []Goal            `json:"goals"` // of the scenarios that have run
}

// Quiet is what share of the cores others may have. Where nobody else is, it is up to 0.08: the kernel's own work,
// most of it waking a core and letting it sleep.
const Quiet = 0.15

// Scenario is a kind of work.
type Scenario struct {
	Name  string `json:"name"`
	About string `json:"about"`
	Base  string `json:"base,omitzero"`   // the peer that ratios are to, if it was measured
	Rate  bool   `json:"byRate,omitzero"` // ratios are of calls per second, not of what a call costs
}

// Goal is a bound that the project has set itself, and what was measured.
type Goal struct {
	Goal  string  `json:"goal"`
	Most  float64 `json:"most,omitzero"`
	Least float64 `json:"least,omitzero"`
	Got   float64 `json:"got,omitzero"`
	Met   bool    `json:"met"`
	Why   string  `json:"notMeasured,omitzero"` // why there is no number
}

// Row is all runs of a peer that speaks a dialect in a scenario.
type Row struct {
	Scenario string   `json:"scenario"`
	Peer     string   `json:"peer"`
	Dialect  string   `json:"dialect"`
	Samples  []Sample `json:"samples,omitempty"`
	Absent   string   `json:"absent,omitempty"` // why there are no samples, or no more
}

// Sample is one run.
type Sample struct {
	CPU       float64       `json:"cpuMicros"` // of the server, µs for one of the scenario's units
	Rate      float64       `json:"perSecond"`
	P50       time.Duration `json:"p50,omitzero"`
	P90       time.Duration `json:"p90,omitzero"`
	P99       time.Duration `json:"p99,omitzero"`
	P999      time.Duration `json:"p999,omitzero"`
	Server    float64       `json:"serverBusy"`         // share of a core
	Generator float64       `json:"generatorBusy"`      // share of a core
	Others    float64       `json:"others"`             // share of both cores that something else had
	Parsed    float64       `json:"parsed"`             // share of answers that the generator had to parse
	Bytes     float64       `json:"bytes,omitzero"`     // of memory for one connection
	Resident  float64       `json:"resident,omitzero"`  // memory that the server has, with its program
	Collected float64       `json:"collected,omitzero"` // the same after it has collected its garbage
	Note      string        `json:"note,omitzero"`
}

// Read reads a file that Write has written.
func Read(file string) (*Document, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	d := new(Document)
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(d); err != nil {
		return nil, fmt.Errorf("%s is not what bench writes: %w", file, err)
	}
	return d, nil
}

// Write writes a file.
func (d *Document) Write(file string) error {
	text, err := d.JSON()
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

// JSON is what Write writes.
func (d *Document) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(d, "", "  ")
	return append(text, '\n'), err
}

// Row returns what a peer that speaks a dialect did in a scenario, or nil if it was not measured.
func (d *Document) Row(scenario, peer, dialect string) *Row {
	for _, r := range d.Rows {
		if r.Scenario == scenario && r.Peer == peer && r.Dialect == dialect && len(r.Samples) > 0 {
			return r
		}
	}
	return nil
}
