package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aymanbagabas/go-udiff"
)

// output is the file that a command generates.
type output struct {
	file    string // empty for the standard output
	check   bool   // compare it instead of writing it
	command string // which writes it
	start   time.Time
}

// withoutCheck is the command line that writes what one with --check compares.
func withoutCheck(args []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return strings.TrimLeft(arg, "-") == "check" }), " ")
}

// put writes the file unless it has this text already, and says so. what is a summary of the text.
func (o *output) put(text []byte, what string, stdout, stderr io.Writer) error {
	if o.file == "" {
		_, err := stdout.Write(text)
		return err
	}
	old, err := os.ReadFile(o.file)
	switch took := time.Since(o.start).Round(time.Millisecond); {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case o.check:
		return o.compare(old, text, stdout)
	case err == nil && bytes.Equal(old, text):
		fmt.Fprintf(stderr, "%s is up to date (%v)\n", o.file, took)
		return nil
	default:
		if err := writeFile(o.file, text); err != nil {
			return err
		}
		fmt.Fprintf(stderr, "wrote %s: %s (%v)\n", o.file, what, took)
		return nil
	}
}

// compare lists the lines that differ, and fails if there are any.
func (o *output) compare(old, text []byte, stdout io.Writer) error {
	if bytes.Equal(old, text) {
		return nil
	}
	fmt.Fprint(stdout, udiff.Unified(o.file, o.file+" (new)", string(old), string(text)))
	return fmt.Errorf("%s is out of date; run %s", o.file, o.command)
}

// writeFile replaces a file as a whole, so that a reader never sees a part of it.
func writeFile(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".kkrpc-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // does nothing once it has its name
	_, err = f.Write(text)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
