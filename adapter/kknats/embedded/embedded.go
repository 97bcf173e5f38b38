package embedded

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/kkrpc-go/kkrpc/adapter/kknats"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// Options says where a server keeps its data and how it finds the others. For every field but Store zero means the default.
type Options struct {
	// Store is the folder for the server's data. It is made if there is none. It belongs to one server for all its life: a
	// second process that uses it is refused. It should be on a local disk.
	Store string
	// Name names the server in its cluster; "" means the name that the store has, or a random one for a new store. A store
	// keeps its name, and refuses another.
	Name string

	// Listen is the address for the other servers, such as "10.0.0.1:6222"; "" means that there are no others.
	Listen string
	// Advertise is the address by which the others reach Listen, if it is another, such as behind a NAT.
	Advertise string
	// Nodes are the addresses of all servers of the cluster, such as "10.0.0.2:6222". The server's own may be among them. It
	// is left out, because a server that counts itself twice elects no leader. Each server has to have the same list when
	// the cluster starts for the first time.
	Nodes []string
	// Secret is what servers of the cluster know each other by, the same for all, and the password of Clients. It is needed
	// unless Listen and Clients are on loopback addresses.
	Secret string
	// TLS encrypts the connections between servers; nil means that they are not encrypted. It needs certificates for both
	// sides: a server is a client to the others.
	TLS *tls.Config

	// Ping is how often a connection to another server is checked when it is idle; 0 means 2 s. After two checks without an
	// answer it is closed and made anew.
	Ping time.Duration

	// Clients is an address for other programs that use this server, such as the NATS command line; "" means that only this
	// process does. Their user is "kkrpc", their password Secret. Without a Secret, all programs of this computer have access.
	Clients string
	// MaxPayload is the largest message in bytes; 0 means 1 MiB. It has to be the same for all servers. NATS advises against more than 8 MiB.
	MaxPayload int
	// MaxStore is how many bytes the store may take; 0 means three quarters of what is free on its disk. It has to be more
	// than kknats.Options.Bytes and TableBytes together.
	MaxStore int64
	// Unsynced leaves it to the operating system to write messages to the disk, within two minutes. A message that was
	// acknowledged outlives the process then, but not a power failure of all servers that had it. A server alone takes some
	// hundred messages a second if it syncs each, and ten thousands if it does not.
	Unsynced bool
	// Log gets what the server logs; nil means that it logs nothing.
	Log Logger
}

// Logger is what a server logs to.
type Logger = server.Logger

// user is the name that servers and clients sign in with.
const user = "kkrpc"

// Server is a NATS server in this process.
type Server struct {
	ns       *server.Server
	password string // of user; "" for none
	others   int    // servers of the cluster beside this one
	unlock   func()
}

// Start starts a server. It does not wait for the others: Connect does. The caller shuts it down.
func Start(opts *Options) (*Server, error) {
	given := Options{}
	if opts != nil {
		given = *opts
	}
	if given.Store == "" {
		return nil, errors.New("embedded: Options.Store names no folder")
	}
	if given.MaxPayload < 0 || given.MaxPayload > server.MAX_PENDING_SIZE {
		return nil, fmt.Errorf("embedded: Options.MaxPayload is %d: it is 1 to %d bytes", given.MaxPayload, server.MAX_PENDING_SIZE)
	}
	config, err := given.config()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(given.Store, 0o700); err != nil {
		return nil, fmt.Errorf("embedded: make the store: %w", err)
	}
	unlock, err := lock(filepath.Join(given.Store, "lock"))
	if err != nil {
		return nil, fmt.Errorf("embedded: the store %s: %w", given.Store, err)
	}
	s := &Server{password: config.Password, others: len(config.Routes), unlock: unlock}
	if config.ServerName, err = nameOf(given.Store, given.Name); err == nil {
		s.ns, err = server.NewServer(config)
	}
	if err != nil {
		unlock()
		return nil, fmt.Errorf("embedded: %w", err)
	}
	if given.Log != nil {
		s.ns.SetLoggerV2(given.Log, false, false, false)
	}
	s.ns.Start()
	if !s.ns.ReadyForConnections(10 * time.Second) {
		s.Shutdown()
		return nil, errors.New("embedded: the server did not start within 10 s; Options.Log tells more")
	}
	return s, nil
}

// config returns the options for NATS.
func (o *Options) config() (*server.Options, error) {
	c := &server.Options{
		JetStream:              true,
		StoreDir:               o.Store,
		JetStreamMaxStore:      o.MaxStore,
		SyncAlways:             !o.Unsynced,
		MaxPayload:             int32(cmp.Or(o.MaxPayload, 1<<20)),
		NoSigs:                 true,
		NoLog:                  o.Log == nil,
		DisableJetStreamBanner: true,
		// A server that is down is told of at the first try, and then at one of so many, about once in an hour.
		ConnectErrorReports:   3600,
		ReconnectErrorReports: 3600,
	}
	if o.Secret != "" {
		c.Username, c.Password = user, o.Secret
	}
	var err error
	switch {
	case o.Clients != "":
		if c.Host, c.Port, err = o.address("Clients", o.Clients); err != nil {
			return nil, err
		}
	case o.Listen != "":
		// A server that does not listen for clients never connects to other servers. So it does, for those who know a
		// password that only this process has.
		c.Host, c.Port = "127.0.0.1", server.RANDOM_PORT
		c.Username, c.Password = user, rand.Text()
	default:
		c.DontListen = true
	}
	if o.Listen == "" {
		if len(o.Nodes) > 0 {
			return nil, errors.New("embedded: Options.Nodes names other servers, and Options.Listen no address for them")
		}
		return c, nil
	}
	if c.Cluster.Host, c.Cluster.Port, err = o.address("Listen", o.Listen); err != nil {
		return nil, err
	}
	c.Cluster.Name = "kkrpc"
	c.Cluster.Advertise = o.Advertise
	c.Cluster.NoAdvertise = true // of clients' addresses
	c.Cluster.PingInterval = cmp.Or(o.Ping, 2*time.Second)
	c.Cluster.MaxPingsOut = 2
	if o.Secret != "" {
		c.Cluster.Username, c.Cluster.Password = user, o.Secret
	}
	c.Cluster.TLSConfig = o.TLS
	if o.TLS != nil {
		c.Cluster.TLSTimeout = 5
	}
	for _, node := range o.Nodes {
		if node == o.Listen || node == o.Advertise {
			continue
		}
		if _, _, err := hostPort("Nodes", node); err != nil {
			return nil, err
		}
		route := &url.URL{Scheme: "nats", Host: node}
		if o.Secret != "" {
			route.User = url.UserPassword(user, o.Secret)
		}
		c.Routes = append(c.Routes, route)
	}
	return c, nil
}

// address returns the parts of an address to listen on.
func (o *Options) address(option, text string) (host string, port int, err error) {
	host, port, err = hostPort(option, text)
	if err != nil {
		return "", 0, err
	}
	if ip := net.ParseIP(host); o.Secret == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", 0, fmt.Errorf("embedded: Options.%s is %q, where anyone on the network could connect: set Options.Secret", option, text)
	}
	// NATS would try for long and not say why.
	l, err := net.Listen("tcp", text)
	if err != nil {
		return "", 0, fmt.Errorf("embedded: Options.%s: %w", option, err)
	}
	return host, port, l.Close()
}

func hostPort(option, text string) (host string, port int, err error) {
	host, number, err := net.SplitHostPort(text)
	if err == nil {
		port, err = strconv.Atoi(number)
	}
	if err != nil || port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("embedded: Options.%s has %q, which is no address with a port, such as 10.0.0.1:6222", option, text)
	}
	return host, port, nil
}

// nameOf returns the name that belongs to a store: under a new name, the cluster would wait for the old one forever.
func nameOf(store, wanted string) (string, error) {
	file := filepath.Join(store, "name")
	text, err := os.ReadFile(file)
	name := strings.TrimSpace(string(text))
	switch {
	case err == nil && name != "" && (wanted == "" || wanted == name):
		return name, nil
	case err == nil && name != "":
		return "", fmt.Errorf("the store %s belongs to the server %q, not %q: give Options.Name or Options.Store the value it had", store, name, wanted)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return "", err
	}
	name = cmp.Or(wanted, "kkrpc-"+rand.Text())
	if strings.ContainsAny(name, " \t\r\n.*>") {
		return "", fmt.Errorf("Options.Name is %q: a name has no spaces, dots, asterisks and greater-than signs", name)
	}
	// Written whole or not at all: a crash must not leave half a name.
	half := file + ".new"
	if err := os.WriteFile(half, []byte(name+"\n"), 0o600); err != nil {
		return "", err
	}
	return name, os.Rename(half, file)
}

// Connect returns the backplane of this process. It waits for the leader of the cluster, like kknats.Connect. opts.URL and
// opts.Conn are not used. The caller closes the backplane, and then shuts down the server.
func (s *Server) Connect(ctx context.Context, opts *kknats.Options) (rooms.Backplane, error) {
	given := kknats.Options{}
	if opts != nil {
		given = *opts
	}
	given.Conn = nil
	own := []nats.Option{nats.InProcessServer(s.ns)}
	if s.password != "" {
		own = append(own, nats.UserInfo(user, s.password))
	}
	given.NATS = append(own, given.NATS...)
	backplane, err := kknats.Connect(ctx, &given)
	if err != nil && s.others > 0 {
		return nil, fmt.Errorf("embedded: this server is connected to %d of %d others; are they up, with the same Nodes and Secret? Options.Log has more: %w",
			s.connected(), s.others, err)
	}
	return backplane, err
}

// connected returns to how many other servers there is a connection.
func (s *Server) connected() int {
	routes, err := s.ns.Routez(&server.RoutezOptions{})
	if err != nil {
		return 0
	}
	names := map[string]bool{}
	for _, r := range routes.Routes { // several to each
		names[r.RemoteID] = true
	}
	return len(names)
}

// Name is the name of the server in its cluster.
func (s *Server) Name() string { return s.ns.Name() }

// Shutdown ends the server, and does nothing if it has ended. It passes on what it leads before, so that the others go on within
// half a second. Without it, such as after a crash, they need 5 to 10 s for an election.
func (s *Server) Shutdown() {
	s.ns.Shutdown()
	s.ns.WaitForShutdown()
	s.unlock()
}
