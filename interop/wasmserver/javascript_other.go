//go:build !js

package main

import "github.com/kkrpc-go/kkrpc"

func javascript() kkrpc.Object { return nil }
