package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/stdio"
)

func hash(lines []string, progress func(done int)) string {
	sum := sha256.New()
	for i, line := range lines {
		fmt.Fprintln(sum, line)
		progress(i + 1)
	}
	fmt.Println("goes to standard error")
	return fmt.Sprintf("%x", sum.Sum(nil)[:4])
}

func main() {
	// Returns when the parent closes our standard input.
	if err := stdio.Serve(context.Background(), kkrpc.Object{"hash": hash}, nil); err != nil {
		log.Fatal(err)
	}
}
