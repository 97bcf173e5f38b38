package shrink

import "strings"

// PackageCode is the code of a package.
type PackageCode struct {
	Path      string // what the compiler made for no package has one in parentheses
	Functions int
	Code      []byte
}

// Packages returns the code of a Program that is not packed.
func (p *Program) Packages() ([]PackageCode, error) {
	t, err := findTables(p.memory)
	if err != nil {
		return nil, err
	}
	bodies, err := readBodies(p.section(sectionCode))
	if err != nil {
		return nil, err
	}
	if t.count != len(bodies) { // they are in the same order
		return nil, ErrTables
	}
	places := map[string]int{}
	var packages []PackageCode
	for i, body := range bodies {
		name, ok := t.name(t.place(i))
		if !ok {
			return nil, ErrTables
		}
		path := packageOf(name)
		if path == "" || strings.HasSuffix(path, ":") {
			path = "(made by the compiler)"
		}
		place, known := places[path]
		if !known {
			place = len(packages)
			places[path] = place
			packages = append(packages, PackageCode{Path: path})
		}
		packages[place].Functions++
		packages[place].Code = append(packages[place].Code, body...)
	}
	return packages, nil
}

// Data returns what the program puts into memory.
func (p *Program) Data() []byte {
	var data []byte
	for _, s := range p.memory.split() {
		data = append(data, s.data...)
	}
	return data
}

func readBodies(section []byte) (bodies [][]byte, err error) {
	r := reader{section}
	count, err := r.unsigned()
	if err != nil {
		return nil, err
	}
	for range count {
		body, err := r.sized()
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, body)
	}
	return bodies, nil
}
