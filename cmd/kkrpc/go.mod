module github.com/kkrpc-go/kkrpc/cmd/kkrpc

go 1.26

require (
	github.com/aymanbagabas/go-udiff v0.4.1
	github.com/fsnotify/fsnotify v1.10.1
	github.com/kkrpc-go/kkrpc v0.0.0-00010101000000-000000000000
)

require golang.org/x/sys v0.49.0 // indirect
