package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/shrink"
)

// packageSize is how much of a program the code of a package is, in bytes.
type packageSize struct {
	path         string
	functions    int
	code, zipped int
}

// packageSizes returns the packages with most code first. Each is gzipped by itself.
func packageSizes(packages []shrink.PackageCode) ([]packageSize, error) {
	var sizes []packageSize
	for _, p := range packages {
		zipped, err := gzipSize(p.Code)
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, packageSize{p.Path, p.Functions, len(p.Code), zipped})
	}
	slices.SortFunc(sizes, func(a, b packageSize) int { return cmp.Compare(b.zipped, a.zipped) })
	return sizes, nil
}

// printSizes writes a table of the packages with most code, for those who want a smaller program.
func printSizes(w io.Writer, packages []shrink.PackageCode, data []byte) error {
	const rows = 24
	sizes, err := packageSizes(packages)
	if err != nil {
		return err
	}
	zipped, err := gzipSize(data)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%9s %9s  %9s  %s\n", "KB", "KB gzip", "functions", "code of package")
	shown := min(rows, len(sizes))
	rest := packageSize{path: "(others)"}
	for _, s := range sizes[shown:] {
		rest.code, rest.zipped, rest.functions = rest.code+s.code, rest.zipped+s.zipped, rest.functions+s.functions
	}
	for _, s := range append(sizes[:shown:shown], rest) {
		fmt.Fprintf(w, "%9.1f %9.1f  %9d  %s\n", float64(s.code)/1e3, float64(s.zipped)/1e3, s.functions, s.path)
	}
	fmt.Fprintf(w, "%9.1f %9.1f  %9s  %s\n", float64(len(data))/1e3, float64(zipped)/1e3, "", "(data: types, texts, tables of functions)")
	return nil
}
