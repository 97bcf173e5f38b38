package main

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
)

const sectionCode = 10

// packageSize is how much of a program the functions of a package are.
type packageSize struct {
	path      string
	functions int
	code      int // bytes
	zipped    int // bytes of code, gzipped by itself
}

// printSizes writes a table of the packages with most code, for those who want a smaller program.
func printSizes(w io.Writer, module []byte) error {
	code, data, err := codeAndData(module)
	if err != nil {
		return err
	}
	sizes, err := packageSizes(code, data)
	if err != nil {
		return err
	}
	var dataBytes []byte
	for _, s := range data {
		dataBytes = append(dataBytes, s.data...)
	}
	zippedData, err := gzipSize(dataBytes)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%9s %9s  %9s  %s\n", "KB", "KB gzip", "functions", "code of package")
	var rest packageSize
	for i, s := range slices.SortedFunc(slices.Values(sizes), func(a, b packageSize) int { return cmp.Compare(b.zipped, a.zipped) }) {
		if i < 24 {
			fmt.Fprintf(w, "%9.1f %9.1f  %9d  %s\n", float64(s.code)/1e3, float64(s.zipped)/1e3, s.functions, s.path)
			continue
		}
		rest.code, rest.zipped, rest.functions = rest.code+s.code, rest.zipped+s.zipped, rest.functions+s.functions
	}
	fmt.Fprintf(w, "%9.1f %9.1f  %9d  %s\n", float64(rest.code)/1e3, float64(rest.zipped)/1e3, rest.functions, "(others)")
	fmt.Fprintf(w, "%9.1f %9.1f  %9s  %s\n", float64(len(dataBytes))/1e3, float64(zippedData)/1e3, "", "(data: types, texts, tables of functions)")
	return nil
}

// codeAndData finds the bodies of functions, in their order, and the data of a module.
func codeAndData(module []byte) (bodies [][]byte, data []segment, err error) {
	err = eachSection(module, func(id byte, body []byte) (err error) {
		switch id {
		case sectionCode:
			bodies, err = readBodies(body)
		case sectionData:
			data, err = readSegments(body)
		}
		return err
	})
	return bodies, data, err
}

func readBodies(section []byte) (bodies [][]byte, err error) {
	r := reader{section}
	count, err := r.unsigned()
	if err != nil {
		return nil, err
	}
	for range count {
		size, err := r.unsigned()
		if err != nil {
			return nil, err
		}
		body, err := r.bytes(size)
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, body)
	}
	return bodies, nil
}

// packageSizes tells the packages of functions by the tables that Go's runtime has of them, which are in the same order.
func packageSizes(bodies [][]byte, data []segment) ([]packageSize, error) {
	t, err := findLineTables(data)
	if err != nil {
		return nil, err
	}
	if int(t.count) != len(bodies) {
		return nil, errLines
	}
	code := map[string][]byte{}
	functions := map[string]int{}
	for i, body := range bodies {
		at := int(binary.LittleEndian.Uint32(t.funcs[8*i+4:]))
		if at+4*funcFields > len(t.funcs) {
			return nil, errLines
		}
		name, ok := text(t.names, binary.LittleEndian.Uint32(t.funcs[at+4*funcName:]))
		if !ok {
			return nil, errLines
		}
		path := packageOf(name)
		if path == "" || strings.HasSuffix(path, ":") {
			path = "(made by the compiler)"
		}
		code[path] = append(code[path], body...)
		functions[path]++
	}
	var sizes []packageSize
	for path, code := range code {
		zipped, err := gzipSize(code)
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, packageSize{path, functions[path], len(code), zipped})
	}
	return sizes, nil
}
