// Command bench prints this project beside its peers on the same work: what each server's processor time is for a call,
// as a ratio to kkrpc 2 on Bun with Hono.
//
//	go run ./bench -scenarios add-1x64,add-64x16 -peers go,kkrpc2-bun-hono,raw-echo -time 2s -runs 3
//
// It listens on and connects to 127.0.0.1 alone, and ends all that it starts. Where the system allows, the servers run on
// one core and the generator on another.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/kkrpc-go/kkrpc/bench/plots"
	"github.com/kkrpc-go/kkrpc/bench/results"
)

// bench is one run of this program.
type bench struct {
	began  time.Time
	time   time.Duration
	runs   int
	each   bool
	jsDir  string
	outDir string

	profile   string // FILE for the peer called go, or ""
	profileOf string // its dialect

	pinned                    bool
	serverCore, generatorCore int // negative: any

	built    map[string]built // by folder
	runtimes map[runtimeName]string
	versions map[string]string

	certified bool // the certificate has been made

	servers  map[served]*server
	progress *progress

	mu    sync.Mutex
	alive map[*server]bool // guarded by mu
}

func main() {
	var (
		which   = flag.String("scenarios", "", "the scenarios, a `LIST` with commas; all by default")
		who     = flag.String("peers", "", "the peers, a `LIST` with commas; all by default")
		asJSON  = flag.Bool("json", false, "print what -out has instead of tables")
		out     = flag.String("out", "", "write all runs as JSON to `FILE`; results.json in the folder of -dir by default")
		list    = flag.Bool("list", false, "print the names of scenarios and peers")
		plot    = flag.String("plot", "", "measure nothing, draw the results in the files that are named as arguments, as SVG, to `FOLDER`")
		base    = flag.String("against", "", "measure the server of the git `REVISION` and that of the working tree by turns")
		b       = &bench{began: time.Now(), serverCore: -1, generatorCore: -1, built: map[string]built{}, runtimes: map[runtimeName]string{}, versions: map[string]string{}, servers: map[served]*server{}, alive: map[*server]bool{}}
		scratch = flag.String("dir", filepath.Join(".cache", "bench"), "a `FOLDER` for what is built")
	)
	flag.DurationVar(&b.time, "time", 400*time.Millisecond, "how long each run measures, after warming up for half of that")
	flag.IntVar(&b.runs, "runs", 3, "how many runs the median is of")
	flag.BoolVar(&b.each, "each", false, "write every request by itself, as JavaScript clients do")
	flag.StringVar(&b.profile, "cpuprofile", "", "write a CPU profile of the peer called go to `FILE`")
	flag.StringVar(&b.profileOf, "profiled", "compact-json", "the `DIALECT` in which -cpuprofile has it")
	flag.Parse()
	if *list {
		printNames(os.Stdout)
		return
	}
	if *plot != "" {
		if err := drawFiles(*plot, flag.Args()); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	b.outDir = *scratch
	if *base != "" {
		if err := b.against(os.Stdout, *base, *which); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	rows, err := b.main(*which, *who)
	if err == nil {
		err = b.publish(rows, *asJSON, cmp.Or(*out, filepath.Join(b.outDir, "results.json")))
	}
	if err == nil && *who != "" {
		err = missing(rows)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// publish prints what was measured, writes it to a file, and draws it beside the file.
func (b *bench) publish(rows []*row, asJSON bool, file string) error {
	d := b.document(rows)
	if !asJSON {
		report(os.Stdout, rows, b)
	} else if text, err := d.JSON(); err != nil {
		return err
	} else if _, err := os.Stdout.Write(text); err != nil {
		return err
	}
	if err := d.Write(file); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "\nall runs are in", file)
	pictures, err := plots.Draw(filepath.Dir(file), d)
	if errors.Is(err, plots.ErrNothing) {
		return nil
	}
	for _, picture := range pictures {
		fmt.Fprintln(os.Stderr, "drawn:", picture)
	}
	return err
}

// drawFiles draws what earlier runs have written.
func drawFiles(dir string, files []string) error {
	if len(files) == 0 {
		return errors.New("-plot needs files that bench has written, as arguments")
	}
	var documents []*results.Document
	for _, file := range files {
		d, err := results.Read(file)
		if err != nil {
			return err
		}
		documents = append(documents, d)
	}
	pictures, err := plots.Draw(dir, documents...)
	for _, picture := range pictures {
		fmt.Println(picture)
	}
	return err
}

// missing is an error if a peer that was asked for by its name could not be measured.
func missing(rows []*row) error {
	for _, r := range rows {
		if r.Absent != "" {
			return fmt.Errorf("%s: %s: %s", r.Scenario, r.Name(), r.Absent)
		}
	}
	return nil
}

func (b *bench) main(which, who string) ([]*row, error) {
	scenarios, err := choose("scenario", which, scenarios, func(s *scenario) string { return s.name })
	if err != nil {
		return nil, err
	}
	peers, err := choose("peer", who, peers, func(p *peer) string { return p.name })
	if err != nil {
		return nil, err
	}
	end, err := b.open()
	if err != nil {
		return nil, err
	}
	defer end()
	if err := b.prepare(scenarios, peers); err != nil {
		return nil, err
	}
	b.progress = newProgress(len(scenarios))
	var rows []*row
	for _, s := range scenarios {
		rows = append(rows, b.scenario(s, peers)...)
	}
	return rows, nil
}

// open checks the options, makes the folders and sees to it that no server outlives this process. end stops them.
func (b *bench) open() (end func(), err error) {
	if b.time <= 0 || b.runs <= 0 {
		return nil, errors.New("-time and -runs have to be more than 0")
	}
	if _, err := os.Stat("go.work"); err != nil {
		return nil, errors.New("run it in the repository's root")
	}
	for _, dir := range []*string{&b.jsDir, &b.outDir} {
		if *dir == "" {
			*dir = filepath.Join("bench", "js")
		}
		if *dir, err = filepath.Abs(*dir); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(b.outDir, 0o755); err != nil {
		return nil, err
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		b.stopAll()
		os.Exit(130)
	}()
	return b.stopAll, nil
}
