// Command release does the parts of scripts/release.sh that are not git's:
//
//	release prepare VERSION       write the version into CHANGELOG.md, each go.mod and each package.json
//	release tags VERSION          print the tags of a release, one for each module that users can import
//	release proxy VERSION FOLDER  make the folder a module proxy that has these modules at the commit HEAD
//
// It runs at the top of a checkout.
package main

import (
	"errors"
	"fmt"
	"os"
	"time"
)

const usage = `usage: release prepare VERSION | tags VERSION | proxy VERSION FOLDER`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New(usage)
	}
	version := args[1]
	if err := checkVersion(version); err != nil {
		return err
	}
	modules, err := workspace("go.work")
	if err != nil {
		return err
	}
	switch {
	case args[0] == "prepare" && len(args) == 2:
		return prepare(modules, version, time.Now().UTC().Format(time.DateOnly))
	case args[0] == "tags" && len(args) == 2:
		for _, m := range modules {
			if m.published() {
				fmt.Println(m.tag(version))
			}
		}
		return nil
	case args[0] == "proxy" && len(args) == 3:
		for _, m := range modules {
			if !m.published() {
				continue
			}
			if err := m.serve(version, args[2]); err != nil {
				return fmt.Errorf("%s: %w", m.path, err)
			}
		}
		return nil
	}
	return errors.New(usage)
}
