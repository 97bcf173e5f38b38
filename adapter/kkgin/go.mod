module github.com/kkrpc-go/kkrpc/adapter/kkgin

go 1.26

require (
	github.com/gin-gonic/gin v1.12.0
	github.com/kkrpc-go/kkrpc v0.0.0-00010101000000-000000000000
	go.uber.org/goleak v1.3.0
)
