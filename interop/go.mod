module github.com/kkrpc-go/kkrpc/interop

go 1.26

require (
	github.com/gobwas/ws v1.5.0
	github.com/kkrpc-go/kkrpc v0.0.0-00010101000000-000000000000
	github.com/kkrpc-go/kkrpc/adapter/kkvalidator v0.0.0-00010101000000-000000000000
)
