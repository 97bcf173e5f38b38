package rooms_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

func TestUser(t *testing.T) {
	for _, where := range []string{"this node", "another node"} {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				nodes, _ := cluster(t, 2)
				asks, holds := nodes[0], nodes[0]
				if where == "another node" {
					holds = nodes[1]
				}
				first := holds.connect(t, kkrpc.Compact, kkrpc.Object{"answer": func(string) string { return "the first" }})
				ada := holds.connect(t, kkrpc.ClassicSuperJSON, kkrpc.Object{"answer": func(question string) (string, error) {
					if question == "" {
						return "", &kkrpc.Error{Name: "NoQuestion", Message: "ask"}
					}
					return "yes, " + question, nil
				}})
				first.do("bind", "Ada")
				ada.do("bind", "Ada")
				bob := asks.connect(t, kkrpc.Compact, nil)
				got, err := kkrpc.Call[string](t.Context(), bob, "ask", "Ada", "it is")
				if err != nil || got != "yes, it is" {
					t.Errorf("the answer is %q, %v", got, err)
				}
				wants := func(name string, err error) {
					t.Helper()
					if e, ok := errors.AsType[*kkrpc.Error](err); !ok || e.Name != name {
						t.Errorf("the error is %v and no %s", err, name)
					}
				}
				wants("NoQuestion", kkrpc.Do(t.Context(), bob, "ask", "Ada", ""))
				wants("UserNotConnectedError", kkrpc.Do(t.Context(), bob, "ask", "Eve", "?"))
				ada.Close()
				synctest.Wait()
				got, err = kkrpc.Call[string](t.Context(), bob, "ask", "Ada", "?")
				if err != nil || got != "the first" {
					t.Errorf("the answer is %q, %v", got, err)
				}
				first.do("bind", "Eve")
				wants("UserNotConnectedError", kkrpc.Do(t.Context(), bob, "ask", "Ada", "?"))
				if err := kkrpc.Do(t.Context(), bob, "ask", "", "?"); err == nil {
					t.Error("an empty name is called")
				}
			})
		})
	}
}

// slowAnswer is a client whose answer takes as long as it is asked.
func slowAnswer(began, ended chan<- struct{}) kkrpc.Object {
	return kkrpc.Object{"answer": func(ctx context.Context, question string) (string, error) {
		began <- struct{}{}
		defer func() { ended <- struct{}{} }()
		select {
		case <-time.After(time.Hour):
			return "late", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}}
}

func TestCallsOfALostNodeFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes, ways := cluster(t, 2)
		began, ended := make(chan struct{}, 2), make(chan struct{}, 2)
		ada := nodes[1].connect(t, kkrpc.Compact, slowAnswer(began, ended))
		ada.do("bind", "Ada")
		failed := make(chan error)
		start := time.Now()
		go func() {
			_, err := kkrpc.Call[string](t.Context(), nodes[0].hub.User("Ada"), "answer", "?")
			failed <- err
		}()
		<-began
		time.Sleep(10 * time.Second)
		ways[1].cut.Store(true)
		if err := <-failed; !errors.Is(err, rooms.ErrNodeLost) {
			t.Errorf("the call ended with %v", err)
		}
		if took := time.Since(start); took < 12*time.Second || took > 14*time.Second {
			t.Errorf("it ended after %v", took)
		}
	})
}

func TestCallOfAClosedConnectionFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes, _ := cluster(t, 2)
		began, ended := make(chan struct{}, 2), make(chan struct{}, 2)
		ada := nodes[1].connect(t, kkrpc.Compact, slowAnswer(began, ended))
		ada.do("bind", "Ada")
		go func() {
			<-began
			ada.Close()
		}()
		_, err := kkrpc.Call[string](t.Context(), nodes[0].hub.User("Ada"), "answer", "?")
		if e, ok := errors.AsType[*kkrpc.Error](err); !ok || e.Name != "RPCConnectionClosedError" {
			t.Errorf("the call ended with %v", err)
		}
	})
}

// A call that nobody waits for any more ends at the client.
func TestCallOfAUserIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes, _ := cluster(t, 2)
		began, ended := make(chan struct{}, 2), make(chan struct{}, 2)
		ada := nodes[1].connect(t, kkrpc.Compact, slowAnswer(began, ended))
		ada.do("bind", "Ada")
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-began
			cancel()
		}()
		_, err := kkrpc.Call[string](ctx, nodes[0].hub.User("Ada"), "answer", "?")
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the call ended with %v", err)
		}
		synctest.Wait()
		if n := ada.server.Stats().Pending; n != 0 {
			t.Errorf("%d calls of the client are pending", n)
		}
	})
}

// A node that was asked for a call and does not say that it makes it is lost.
func TestRequestWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &hooked{Backplane: rooms.Local(nil)}
		b.request = func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		a := newHub(t, &rooms.Options[message]{Backplane: b})
		start := time.Now()
		_, err := kkrpc.Call[string](t.Context(), a.hub.User("Ada"), "answer", "?")
		if took := time.Since(start); !errors.Is(err, rooms.ErrNodeLost) || took != 3*time.Second {
			t.Errorf("the call ended after %v with %v", took, err)
		}
	})
}

// A call that a node makes for another one fails by name when that node ends in order.
func TestCallsOfANodeThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes, _ := cluster(t, 2)
		began, ended := make(chan struct{}, 2), make(chan struct{}, 2)
		ada := nodes[1].connect(t, kkrpc.Compact, slowAnswer(began, ended))
		ada.do("bind", "Ada")
		go func() {
			<-began
			nodes[1].hub.Close()
		}()
		_, err := kkrpc.Call[string](t.Context(), nodes[0].hub.User("Ada"), "answer", "?")
		if !errors.Is(err, rooms.ErrNodeLost) && !isNamed(err, rooms.ErrNodeLost.Name) {
			t.Errorf("the call ended with %v", err)
		}
	})
}
