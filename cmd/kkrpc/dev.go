package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"time"
)

const devUsage = `usage: kkrpc dev <package> [--ts file [options of kkrpc gen ts]] [--stop-timeout 5s] [-- arguments]

Runs a Go program. When its source changes, writes the TypeScript types of its API anew, as kkrpc gen ts does, and
starts the program again. While it does not compile, the types stay and the program from before goes on.

`

// dev runs the command `kkrpc dev`.
func dev(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("kkrpc dev", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, devUsage)
		flags.PrintDefaults()
	}
	s := session{stdout: stdout, stderr: stderr}
	s.types.form = "ts"
	flags.StringVar(&s.types.out, "ts", "", "`file` to write the types to; empty for none")
	s.types.addTo(flags)
	flags.DurationVar(&s.stopTimeout, "stop-timeout", 5*time.Second, "`time` that the program has to end when it is interrupted; then it is killed")
	if i := slices.Index(args, "--"); i >= 0 {
		args, s.args = args[:i], args[i+1:]
	}
	words, err := parse(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	var used string // a flag that is about the types
	flags.Visit(func(f *flag.Flag) {
		if slices.Contains(aboutTypes, f.Name) {
			used = f.Name
		}
	})
	switch {
	case len(words) != 1:
		fmt.Fprintf(stderr, "kkrpc dev: want one package, such as ./cmd/server, got %d; arguments of the program come behind --\n", len(words))
		return 2
	case s.types.out == "" && used != "":
		fmt.Fprintf(stderr, "kkrpc dev: --%s is about the TypeScript file: name it with --ts\n", used)
		return 2
	case s.types.wrong() != "":
		fmt.Fprintln(stderr, "kkrpc dev:", s.types.wrong())
		return 2
	case s.stopTimeout < 0:
		fmt.Fprintf(stderr, "kkrpc dev: --stop-timeout %v: want 0 or more\n", s.stopTimeout)
		return 2
	}
	s.types.pkg = words[0]
	ctx, stop := untilHangup(ctx)
	defer stop()
	if err := s.run(ctx); err != nil {
		return failed(stderr, "kkrpc dev", err)
	}
	return 0
}
