module github.com/kkrpc-go/kkrpc/adapter/kkecho

go 1.26

require (
	github.com/kkrpc-go/kkrpc v0.0.0-00010101000000-000000000000
	github.com/labstack/echo/v5 v5.4.4
	go.uber.org/goleak v1.3.0
)
