// Package seen is what runs with real runtimes have shown. The tests of interop add rows to a file, and the
// command interop/matrix makes the table of the README out of them.
package seen

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// Variable names the environment variable with the file for [Add].
const Variable = "KKRPC_MATRIX"

// Direction says what a runtime did.
type Direction string

// The directions.
const (
	Client Direction = "client" // of a Go server
	Server Direction = "server" // with Hono, of a Go client
	Inside Direction = "inside" // it ran Hono, with Go in it as WebAssembly
)

// Row is a run of the conformance checks, or of a runtime that is missing its name and Missing alone.
type Row struct {
	Runtime   string    `json:"runtime"`
	Version   string    `json:"version,omitempty"`
	Missing   string    `json:"missing,omitempty"` // why there is no such runtime
	Direction Direction `json:"direction,omitempty"`
	Protocol  string    `json:"protocol,omitempty"` // classic or compact
	Codec     string    `json:"codec,omitempty"`    // json or superjson
	Passed    int       `json:"passed,omitempty"`
	Failed    int       `json:"failed,omitempty"`
}

// Add adds a row to the file that Variable names, if any. Several processes may do so at once.
func Add(r Row) error {
	name := os.Getenv(Variable)
	if name == "" {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// Read returns the rows of a file.
func Read(name string) (rows []Row, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var r Row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", name, len(rows)+1, err)
		}
		rows = append(rows, r)
	}
	return rows, lines.Err()
}
