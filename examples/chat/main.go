// Command chat is a chat with rooms, for browsers and programs. In the folder of this repository:
//
//	go run ./examples/chat
//
// Its README says how it is made and how several processes become one chat.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/kkrpc-go/kkrpc/rooms"

	chat "github.com/kkrpc-go/kkrpc/examples/chat/api"
	"github.com/kkrpc-go/kkrpc/examples/chat/signin"
	"github.com/kkrpc-go/kkrpc/examples/chat/sqlite"
)

// config is what the flags say.
type config struct {
	addr, dir, token string
	rooms, origins   []string
	https            bool
	cluster          int // which of nodes this process is, from 1 on; 0: alone
	nodes            []string
}

func (c *config) allows(origin string) bool { return slices.Contains(c.origins, origin) }

// drainTime is how long calls that run may take when the program ends.
const drainTime = 10 * time.Second

func parse(args []string, output io.Writer) (*config, error) {
	c := &config{}
	flags := flag.NewFlagSet("chat", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.StringVar(&c.addr, "addr", "localhost:3000", "`address` to listen on; :3000 is reached from other machines")
	flags.StringVar(&c.dir, "dir", defaultDir(), "`folder` of the messages and the key that signs cookies")
	named := flags.String("rooms", "lobby,help,random", "`names` of the rooms that everybody finds in the list")
	origins := flags.String("origins", "", "`origins` of other servers whose pages may connect, such as https://app.example.com")
	flags.BoolVar(&c.https, "https", false, "browsers come over HTTPS, through a proxy: cookies are never sent without")
	flags.IntVar(&c.cluster, "cluster", 0, "be this `number` among --nodes, from 1 on: several processes that are one chat, with JetStream in place of SQLite")
	nodes := flags.String("nodes", "127.0.0.1:6221,127.0.0.1:6222,127.0.0.1:6223", "`addresses` at which the processes of the cluster reach each other, the same for all")
	flags.StringVar(&c.token, "token", "", "print a token for a program that acts as the user of this `name`, and end")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	c.rooms, c.origins, c.nodes = list(*named), list(*origins), list(*nodes)
	if c.cluster < 0 || c.cluster > len(c.nodes) {
		return nil, fmt.Errorf("--cluster is %d: want a number from 1 to %d, one for each of --nodes, or 0", c.cluster, len(c.nodes))
	}
	for _, name := range c.rooms {
		if err := chat.CheckRoom(name); err != nil {
			return nil, fmt.Errorf("--rooms: %q: %w", name, err)
		}
	}
	return c, nil
}

// defaultDir is a folder that stays where it is, whatever the working directory.
func defaultDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "kkrpc-chat")
}

// list splits a list at its commas.
func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills
	cfg, err := parse(os.Args[1:], os.Stderr)
	if err == nil {
		err = run(ctx, cfg, os.Stdout, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

// run is the program, until ctx ends.
func run(ctx context.Context, cfg *config, out io.Writer, logger *slog.Logger) (err error) {
	if err := os.MkdirAll(cfg.dir, 0o700); err != nil {
		return err
	}
	key, err := readKey(filepath.Join(cfg.dir, "key"))
	if err != nil {
		return err
	}
	if cfg.token != "" {
		if err := chat.CheckUser(cfg.token); err != nil {
			return err
		}
		_, err := fmt.Fprintln(out, key.Sign(signin.Session, cfg.token, time.Now().Add(sessionLife)))
		return err
	}
	backplane, end, err := open(ctx, cfg, key, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	listener, err := net.Listen("tcp", cfg.addr)
	if err != nil {
		return err
	}
	s, err := newServer(cfg, key, backplane, logger)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return serve(ctx, s, listener, urlOf(cfg.addr, listener), cfg.dir, logger)
}

// urlOf is where a browser on this machine finds the chat.
func urlOf(addr string, listener net.Listener) string {
	host, _, _ := net.SplitHostPort(addr) // it has been listened to
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return "http://" + net.JoinHostPort(host, port)
}

// open opens what keeps the messages. end closes it.
func open(ctx context.Context, cfg *config, key signin.Key, logger *slog.Logger) (backplane rooms.Backplane, end func() error, err error) {
	if cfg.cluster > 0 {
		return joinCluster(ctx, cfg, key, logger)
	}
	store, err := sqlite.Open(filepath.Join(cfg.dir, "chat.db"), nil)
	if err != nil {
		return nil, nil, err
	}
	return rooms.Local(store), store.Close, nil
}

// serve serves until ctx ends, and then lets the calls that run end.
func serve(ctx context.Context, s *server, listener net.Listener, url, dir string, logger *slog.Logger) error {
	srv := &http.Server{
		Handler:     s,
		ReadTimeout: 10 * time.Second, // of a request, not of a connection that has become a WebSocket
		IdleTimeout: 2 * time.Minute,
		ErrorLog:    slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }() // ends by Shutdown
	logger.Info("the chat is open", "url", url, "dir", dir)
	var failed error
	select {
	case failed = <-served:
	case <-ctx.Done():
		logger.Info("the chat closes; a second interrupt ends it at once")
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err := errors.Join(srv.Shutdown(ending), s.drain(ending))
	logger.Info("the chat has closed", "err", err)
	return errors.Join(failed, err)
}

// readKey reads the key in a file, and makes it if there is none.
func readKey(name string) (signin.Key, error) {
	key, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(name)
	}
	if err == nil && len(key) != signin.KeySize {
		err = fmt.Errorf("%s has %d bytes, and a key has %d: delete the file, and all users sign in again", name, len(key), signin.KeySize)
	}
	return key, err
}

// makeKey makes a key file, wholly or not at all. If another process has made it meanwhile, its key counts.
func makeKey(name string) (signin.Key, error) {
	f, err := os.CreateTemp(filepath.Dir(name), "key-") // which only its user can read
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(signin.NewKey())
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(f.Name(), name); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(name)
}
