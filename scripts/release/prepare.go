package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// packages are the npm packages. They have the version of the modules.
var packages = []string{"npm/package.json", "npm/client/package.json"}

// prepare writes what a release changes in files. It changes none if one of them is not as expected.
func prepare(modules []goModule, version, date string) error {
	texts := map[string]string{}
	edit := func(name string, change func(text string) (string, error)) error {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if texts[name], err = change(string(text)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	if err := edit("CHANGELOG.md", func(text string) (string, error) { return changelog(text, version, date) }); err != nil {
		return err
	}
	for _, name := range packages {
		if err := edit(name, func(text string) (string, error) { return packageVersion(text, version) }); err != nil {
			return err
		}
	}
	for name, text := range texts {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	for _, m := range modules {
		if err := m.require(modules, version); err != nil {
			return err
		}
	}
	return nil
}

var unreleased = regexp.MustCompile(`(?m)^## \[Unreleased\]\n`)

// changelog puts a heading for the version over the entries of Unreleased, which has none then.
func changelog(text, version, date string) (string, error) {
	at := unreleased.FindStringIndex(text)
	if at == nil {
		return "", errors.New("there is no heading ## [Unreleased]")
	}
	entries, _, _ := strings.Cut(text[at[1]:], "\n## ")
	if !strings.Contains(entries, "\n- ") {
		return "", errors.New("there are no entries under Unreleased")
	}
	number := strings.TrimPrefix(version, "v")
	if strings.Contains(text, "\n## ["+number+"]") {
		return "", fmt.Errorf("%s has a section already", number)
	}
	return text[:at[1]] + "\n## [" + number + "] - " + date + "\n" + text[at[1]:], nil
}

var versionMember = regexp.MustCompile(`(?m)^(  "version": ")[^"]+(",)$`)

// packageVersion sets the version of a package.json and keeps its formatting.
func packageVersion(text, version string) (string, error) {
	if len(versionMember.FindAllString(text, -1)) != 1 {
		return "", errors.New("there is no member version in a line of its own")
	}
	return versionMember.ReplaceAllString(text, "${1}"+strings.TrimPrefix(version, "v")+"${2}"), nil
}
