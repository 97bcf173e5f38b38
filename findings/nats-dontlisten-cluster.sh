#!/usr/bin/env bash
# An embedded NATS server that listens for no clients never connects to the other servers of its cluster.
#
# One would guess: DontListen is about the client port alone. Programs that embed the server and use in-process connections
# set it, and Cluster with Routes goes on to work.
# What happens: the server is not ready after ten seconds and has no routes. It reports no error. With a
# client port on loopback in place of DontListen, the two servers find each other at once.
# Versions: github.com/nats-io/nats-server/v2 v2.15.3, Go 1.26.8. Seen on 2026-11-29.
# Output:
#> DontListen: ready false, routes 0
#> client port on loopback: ready true, routes found true
set -euo pipefail

self=$(realpath "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=
go mod init finding 2>/dev/null
go get github.com/nats-io/nats-server/v2/server@v2.15.3

cat >main.go <<'GO'
package main

import (
	"fmt"
	"log"
	"net"
	"net/url"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// freePort returns a port of loopback that nobody listens on.
func freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// cluster starts two servers, each with a route to the other.
func cluster(dontListen bool) (ready bool, routes int) {
	ports := []int{freePort(), freePort()} // the servers end with the process
	var servers []*server.Server
	ready = true
	for i, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("node", i), NoSigs: true, NoLog: true, DontListen: dontListen, Host: "127.0.0.1", Port: -1,
			Cluster: server.ClusterOpts{Name: "finding", Host: "127.0.0.1", Port: port},
			Routes:  []*url.URL{{Scheme: "nats", Host: fmt.Sprint("127.0.0.1:", ports[1-i])}},
		})
		if err != nil {
			log.Fatal(err)
		}
		go s.Start()
		servers = append(servers, s)
	}
	for _, s := range servers {
		ready = s.ReadyForConnections(10*time.Second) && ready
	}
	for range 50 {
		if routes = servers[0].NumRoutes(); routes > 0 {
			return ready, routes
		}
		time.Sleep(100 * time.Millisecond)
	}
	return ready, routes
}

func main() {
	ready, routes := cluster(true)
	fmt.Printf("DontListen: ready %v, routes %d\n", ready, routes)
	ready, routes = cluster(false)
	fmt.Printf("client port on loopback: ready %v, routes found %v\n", ready, routes > 0)
}
GO
go run . | tee seen

diff <(sed -n 's/^#> //p' "$self") seen
