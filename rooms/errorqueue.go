package rooms

import "sync"

// An errorQueue calls Options.OnError from a goroutine that holds no lock, so that OnError may use the hub.
type errorQueue struct {
	onError func(error) // nil: nobody wants to know

	mu      sync.Mutex // guards what follows
	errors  []error
	calling bool // a goroutine calls onError
}

// mostErrors is how many errors wait at most.
const mostErrors = 100

func (q *errorQueue) report(err error) {
	if q.onError == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.errors) < mostErrors {
		q.errors = append(q.errors, err)
	}
	if !q.calling {
		q.calling = true
		go q.call() // ends when there are no errors
	}
}

func (q *errorQueue) call() {
	for {
		q.mu.Lock()
		if len(q.errors) == 0 {
			q.calling = false
			q.mu.Unlock()
			return
		}
		err := q.errors[0]
		q.errors = q.errors[1:]
		q.mu.Unlock()
		q.onError(err)
	}
}
