module github.com/kkrpc-go/kkrpc/examples

go 1.26

require (
	github.com/go-chi/chi/v5 v5.5.0
	github.com/go-chi/cors v1.2.2
	github.com/gofiber/fiber/v3 v3.1.0
	github.com/google/go-cmp v0.7.0
	github.com/kkrpc-go/kkrpc v0.0.0-00010101000000-000000000000
	github.com/kkrpc-go/kkrpc/adapter/kknats v0.0.0-00010101000000-000000000000
	github.com/kkrpc-go/kkrpc/adapter/kkvalidator v0.0.0-00010101000000-000000000000
	github.com/kkrpc-go/kkrpc/interop v0.0.0-00010101000000-000000000000
	github.com/ncruces/go-sqlite3 v0.37.0
	github.com/pquerna/cachecontrol v0.2.0
	resenje.org/singleflight v0.4.3
)
