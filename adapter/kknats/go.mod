module github.com/kkrpc-go/kkrpc/adapter/kknats

go 1.26

require (
	github.com/google/go-cmp v0.7.0
	github.com/kkrpc-go/kkrpc v0.0.0-00010101000000-000000000000
	github.com/nats-io/nats-server/v2 v2.15.3
	github.com/nats-io/nats.go v1.55.0
	go.uber.org/goleak v1.3.0
	golang.org/x/sys v0.50.0
)
