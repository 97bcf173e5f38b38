package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/kkrpc-go/kkrpc/schema"
)

const breakingUsage = `usage: kkrpc breaking <package> --against api.json [--api name]

Lists what clients that were built against an older API find broken now, and exits with 1 if there is anything. The
older API is a file that kkrpc gen json has written.

`

// breaking runs the command `kkrpc breaking`.
func breaking(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("kkrpc breaking", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, breakingUsage)
		flags.PrintDefaults()
	}
	against := flags.String("against", "", "`file` with the older API")
	name := flags.String("api", "", "`name` of the API, or file:line where it is exposed, if the package exposes several")
	words, err := parse(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case len(words) != 1:
		fmt.Fprintf(stderr, "kkrpc breaking: want one package, such as ./cmd/server, got %d\n", len(words))
		return 2
	case *against == "":
		fmt.Fprintln(stderr, "kkrpc breaking: --against is empty: want a file that kkrpc gen json has written")
		return 2
	}
	found, err := breaks(ctx, words[0], *name, *against)
	if err != nil {
		return failed(stderr, "kkrpc breaking", err)
	}
	for _, line := range found {
		fmt.Fprintln(stdout, line)
	}
	if len(found) > 0 {
		fmt.Fprintf(stderr, "kkrpc breaking: breaking changes since %s: %d\n", *against, len(found))
		return 1
	}
	return 0
}

func breaks(ctx context.Context, pkg, name, against string) ([]string, error) {
	text, err := os.ReadFile(against)
	if err != nil {
		return nil, err
	}
	old, err := schema.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %s; want a file that kkrpc gen json has written", against, strings.TrimPrefix(err.Error(), "schema: "))
	}
	api, err := describe(ctx, pkg, name)
	if err != nil {
		return nil, err
	}
	return schema.Breaking(old, api), nil
}
