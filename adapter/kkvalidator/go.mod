module github.com/kkrpc-go/kkrpc/adapter/kkvalidator

go 1.26

require (
	github.com/go-playground/validator/v10 v10.30.4
	github.com/kkrpc-go/kkrpc v0.0.0-00010101000000-000000000000
)
