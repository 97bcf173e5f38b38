module github.com/kkrpc-go/kkrpc/examples

go 1.26

require (
	github.com/kkrpc-go/kkrpc v0.0.0-00010101000000-000000000000
	github.com/kkrpc-go/kkrpc/adapter/kkvalidator v0.0.0-00010101000000-000000000000
)
