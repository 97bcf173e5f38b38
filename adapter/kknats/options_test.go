package kknats_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/adapter/kknats"
	"github.com/kkrpc-go/kkrpc/adapter/kknats/embedded"
)

func TestOptionsThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		opts kknats.Options
		want string
	}{
		{kknats.Options{Prefix: "a.b"}, "Options.Prefix"},
		{kknats.Options{History: -1}, "Options.History"},
		{kknats.Options{Replicas: 6}, "Options.Replicas"},
		{kknats.Options{Duplicates: time.Minute}, "Options.Duplicates is too small: its minimum is 2m0s"},
		{kknats.Options{Heartbeat: time.Millisecond}, "Options.Heartbeat is too small: its minimum is 500ms"},
		{kknats.Options{Bytes: -1}, "Options.Bytes"},
	} {
		if _, err := kknats.Connect(t.Context(), &c.opts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.opts, err, c.want)
		}
	}
	addr := freeAddrs(t, 1)[0]
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := kknats.Connect(ctx, &kknats.Options{URL: "nats://" + addr}); err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("where nobody listens: %v", err)
	}
	server := cluster(t, 1)[0]
	if _, err := server.Connect(within(t), &kknats.Options{Replicas: 3}); err == nil || !strings.Contains(err.Error(), "replicas") {
		t.Errorf("three replicas on one server: %v", err)
	}
}

// TestOptionsOfAStreamThatExists shows which options change it, and that a larger History leaves Gone careful.
func TestOptionsOfAStreamThatExists(t *testing.T) {
	servers := cluster(t, 1)
	small := nodes(t, servers, 1, kknats.Options{History: 10})[0]
	for range 15 {
		add(t, small, "room", "x")
	}
	kept := func(want int) {
		t.Helper()
		got, err := nodes(t, servers, 1, kknats.Options{})[0].After(within(t), "room", 0, 100)
		if err != nil || len(got) != want {
			t.Errorf("%d messages are kept, not %d, %v", len(got), want, err)
		}
	}
	kept(10) // the default does not change it
	large := nodes(t, servers, 1, kknats.Options{History: 100})[0]
	for range 5 {
		add(t, large, "room", "x")
	}
	kept(15)
	bounds, err := large.Bounds(within(t), "room")
	if err != nil || bounds.Gone != 5 || bounds.Last != 20 {
		t.Errorf("the bounds are %+v, %v", bounds, err)
	}
	other, err := large.Bounds(within(t), "other")
	if err != nil || other.Gone != 5 { // the stream has no number up to 5 any more
		t.Errorf("the bounds of an empty log are %+v, %v", other, err)
	}
}

func TestServersThatCannotBe(t *testing.T) {
	store := t.TempDir()
	addrs := freeAddrs(t, 2)
	for _, c := range []struct {
		opts embedded.Options
		want string
	}{
		{embedded.Options{}, "Options.Store"},
		{embedded.Options{Store: store, Name: "a b"}, "Options.Name"},
		{embedded.Options{Store: store, Nodes: addrs}, "Options.Listen"},
		{embedded.Options{Store: store, Listen: "nowhere"}, "Options.Listen"},
		{embedded.Options{Store: store, Listen: "0.0.0.0:" + addrs[0][strings.LastIndex(addrs[0], ":")+1:]}, "Options.Secret"},
		{embedded.Options{Store: store, Listen: addrs[0], Nodes: []string{addrs[1], "b"}}, "Options.Nodes"},
	} {
		if _, err := embedded.Start(&c.opts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.opts, err, c.want)
		}
	}
	s := start(t, &embedded.Options{Store: store, Name: "one", Clients: addrs[0]})
	if err := s.Health(); err != nil {
		t.Error(err)
	}
	if _, err := embedded.Start(&embedded.Options{Store: store}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second server on one store: %v", err)
	}
	if _, err := embedded.Start(&embedded.Options{Store: t.TempDir(), Clients: addrs[0]}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second server on one address: %v", err)
	}
	s.Shutdown()
	if _, err := embedded.Start(&embedded.Options{Store: store, Name: "two"}); err == nil || !strings.Contains(err.Error(), `belongs to the server "one"`) {
		t.Errorf("another name: %v", err)
	}
	if again := start(t, &embedded.Options{Store: store}); again.Name() != "one" {
		t.Errorf("the name is %q", again.Name())
	}
}

// TestSecret shows that a cluster refuses those who do not know its secret.
func TestSecret(t *testing.T) {
	addr := freeAddrs(t, 1)[0]
	start(t, &embedded.Options{Store: t.TempDir(), Clients: addr, Secret: "s3cret"})
	if _, err := kknats.Connect(within(t), &kknats.Options{URL: "nats://" + addr}); err == nil || !strings.Contains(err.Error(), "Authorization") {
		t.Errorf("without the secret: %v", err)
	}
	b, err := kknats.Connect(within(t), &kknats.Options{URL: "nats://kkrpc:s3cret@" + addr})
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
}

// TestTLS has servers that know each other by certificates.
func TestTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotAfter:              time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	known.AddCert(parsed)
	config := &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		RootCAs:      known,
		ClientCAs:    known,
		ClientAuth:   tls.RequireAndVerifyClientCert,
	}
	addrs := freeAddrs(t, 3)
	var servers []*embedded.Server
	for _, addr := range addrs {
		servers = append(servers, start(t, &embedded.Options{Store: t.TempDir(), Listen: addr, Nodes: addrs, Secret: "s3cret", TLS: config}))
	}
	list := nodes(t, servers, 3, kknats.Options{})
	r := followed(t, list[2], "room", 0)
	add(t, list[0], "room", "hello")
	r.until(t, "the message", func(got []string, _ error) bool { return len(got) == 1 })
	for _, mine := range [][]tls.Certificate{config.Certificates, nil} {
		info := ""
		conn, err := tls.Dial("tcp", addrs[0], &tls.Config{RootCAs: known, Certificates: mine})
		if err == nil {
			info, err = bufio.NewReader(conn).ReadString('\n')
			conn.Close()
		}
		if in := strings.HasPrefix(info, "INFO"); in != (mine != nil) {
			t.Errorf("with %d certificates, the server says %q, %v", len(mine), info, err)
		}
	}
}

// TestClientsDoNotLinkTheServer keeps the server out of programs that connect by URL.
func TestClientsDoNotLinkTheServer(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", ".")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), "nats-server") {
		t.Error("package kknats depends on nats-server")
	}
}
