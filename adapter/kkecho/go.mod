module github.com/kkrpc-go/kkrpc/adapter/kkecho

go 1.26

require (
	github.com/kkrpc-go/kkrpc v0.0.0-00010101000000-000000000000
	github.com/labstack/echo/v5 v5.4.4
	go.uber.org/goleak v1.3.0
)

require (
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/gobwas/ws v1.5.0 // indirect
	golang.org/x/time v0.15.0 // indirect
)

replace github.com/kkrpc-go/kkrpc => ../..
