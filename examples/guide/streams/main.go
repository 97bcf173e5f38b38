package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log"
	"net/http"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// count goes on for as long as somebody reads.
func count(from int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for n := from; yield(n); n++ {
		}
		fmt.Println("nobody reads any more")
	}
}

// readings fails after three items.
func readings() iter.Seq2[float64, error] {
	return func(yield func(float64, error) bool) {
		for _, v := range []float64{20.5, 21, 21.5} {
			if !yield(v, nil) {
				return
			}
		}
		yield(0, errors.New("sensor lost"))
	}
}

// jobs sends what another goroutine produces.
func jobs(ctx context.Context) <-chan string {
	queue := make(chan string)
	go func() {
		defer close(queue)
		for _, job := range []string{"build", "test"} {
			select {
			case queue <- job:
			case <-ctx.Done(): // the stream has ended
				return
			}
		}
	}()
	return queue
}

// sum reads a stream of the caller.
func sum(numbers iter.Seq2[float64, error]) (total float64, err error) {
	for n, err := range numbers {
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// follow calls a function of the client that returns a stream.
func follow(ctx context.Context) error {
	for line, err := range kkrpc.Stream[string](ctx, kkrpc.FromContext(ctx), "tail", "web") {
		if err != nil {
			return err
		}
		fmt.Println(line)
		if line == "web: ready" {
			break // stops the generator of the client
		}
	}
	return nil
}

func main() {
	http.Handle("/ws", ws.Handler(kkrpc.Object{
		"count": count, "readings": readings, "jobs": jobs, "sum": sum, "follow": follow,
	}, nil))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
