package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/zip"
)

// unpublished are the folders of modules that are tools of this repository. No user imports them.
var unpublished = []string{"bench", "scripts"}

// goModule is a module of the workspace.
type goModule struct {
	dir  string // as seen from the top of the checkout, with slashes
	path string
}

// workspace returns the modules of a go.work file, the root first.
func workspace(name string) ([]goModule, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	work, err := modfile.ParseWork(name, text, nil)
	if err != nil {
		return nil, err
	}
	var modules []goModule
	for _, use := range work.Use {
		dir := path.Clean(use.Path)
		text, err := os.ReadFile(filepath.Join(filepath.Dir(name), filepath.FromSlash(dir), "go.mod"))
		if err != nil {
			return nil, err
		}
		modules = append(modules, goModule{dir: dir, path: modfile.ModulePath(text)})
	}
	return modules, nil
}

func (m goModule) published() bool { return !slices.Contains(unpublished, m.dir) }

// tag is what the go command looks for in a repository.
func (m goModule) tag(version string) string {
	if m.dir == "." {
		return version
	}
	return m.dir + "/" + version
}

// require writes the version into the go.mod file, for each requirement of a module of the workspace.
func (m goModule) require(modules []goModule, version string) error {
	name := filepath.Join(filepath.FromSlash(m.dir), "go.mod")
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	file, err := modfile.Parse(name, text, nil)
	if err != nil {
		return err
	}
	for _, r := range file.Require {
		if slices.ContainsFunc(modules, func(m goModule) bool { return m.path == r.Mod.Path }) {
			if err := file.AddRequire(r.Mod.Path, version); err != nil {
				return err
			}
		}
	}
	text, err = file.Format()
	if err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o644)
}

// serve writes the module into a folder, in the layout of the module proxy protocol. Its files are those of the commit HEAD.
func (m goModule) serve(version, proxy string) error {
	escaped, err := module.EscapePath(m.path)
	if err != nil {
		return err
	}
	dir := filepath.Join(proxy, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	mod, err := exec.Command("git", "show", "HEAD:"+path.Join(m.dir, "go.mod")).Output()
	if err != nil {
		return fmt.Errorf("git show: %w", err)
	}
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{version, time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{"list": []byte(version + "\n"), version + ".info": info, version + ".mod": mod} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	file, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		return err
	}
	subdir := strings.TrimPrefix(m.dir, ".")
	if err := zip.CreateFromVCS(file, module.Version{Path: m.path, Version: version}, ".", "HEAD", subdir); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// checkVersion refuses what is no version of this major version.
func checkVersion(version string) error {
	if semver.Canonical(version) != version || semver.Build(version) != "" {
		return fmt.Errorf("%q is not a version such as v0.1.0 or v0.1.0-rc", version)
	}
	if major := semver.Major(version); major != "v0" && major != "v1" {
		return fmt.Errorf("%s needs module paths that end in /%s", version, major)
	}
	return nil
}
