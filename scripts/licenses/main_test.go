package main

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestLicenses(t *testing.T) {
	mit, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	gpl := file(`This program is free software: you can redistribute it and/or modify it under the terms of the GNU General Public
License as published by the Free Software Foundation, either version 3 of the License, or (at your option) any later version.

This program is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY; without even the implied warranty of
MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See the GNU General Public License for more details.`)
	for _, row := range []struct {
		name    string
		files   fstest.MapFS
		want    string // the identifiers
		problem string // part of the error
	}{
		{"an allowed one", fstest.MapFS{"LICENSE": file(string(mit))}, "MIT", ""},
		{"by a British name", fstest.MapFS{"licence.md": file(string(mit))}, "MIT", ""},
		{"none", fstest.MapFS{"NOTICE": file(string(mit)), "license.go": file("package license")}, "", "no license file"},
		{"a forbidden one", fstest.MapFS{"COPYING": gpl}, "", "the license GPL-3.0-or-later is not allowed"},
		{"a forbidden one beside an allowed one", fstest.MapFS{"LICENSE": file(string(mit)), "LICENSE.other": gpl}, "MIT", "the license GPL-3.0-or-later is not allowed"},
		{"unknown text", fstest.MapFS{"LICENSE": file("Do what you like, but not on Sundays.")}, "", "0 % of it"},
	} {
		t.Run(row.name, func(t *testing.T) {
			ids, err := licenses(row.files)
			if got := strings.Join(ids, " "); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if row.problem == "" && err != nil || row.problem != "" && (err == nil || !strings.Contains(err.Error(), row.problem)) {
				t.Errorf("got the error %v, want %q", err, row.problem)
			}
		})
	}
}
