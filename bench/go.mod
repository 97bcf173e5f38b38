module github.com/kkrpc-go/kkrpc/bench

go 1.26

require (
	github.com/gobwas/ws v1.5.0
	github.com/kkrpc-go/kkrpc v0.0.0-00010101000000-000000000000
	github.com/shirou/gopsutil/v4 v4.26.10
	golang.org/x/image v0.30.0
	golang.org/x/sys v0.49.0
	gonum.org/v1/plot v0.17.0
)
