package rooms_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// sink is a transport whose peer makes one call and reads everything after it.
type sink struct {
	call   []byte
	closed chan struct{}
}

func (s *sink) ReadFrame(buf []byte) (msg []byte, more bool, err error) {
	if s.call == nil {
		<-s.closed
		return nil, false, io.EOF
	}
	msg, s.call = append(buf[:0], s.call...), nil
	return msg, false, nil
}

func (*sink) WriteFrames([][]byte) error            { return nil }
func (*sink) TryWriteFrames([][]byte) (bool, error) { return true, nil }
func (*sink) Close(int, string) error               { return nil }

// BenchmarkBroadcast is what one delivery costs, without the system calls that write it.
func BenchmarkBroadcast(b *testing.B) {
	const members = 1000
	calls := map[string]string{
		"callback": `{"t":"q","id":"1","op":"call","p":["join"],"a":[{"__kkrpc_next_arg__":"callback","id":"6f9619ff8b86d0%d"}]}`,
		"method":   `{"t":"q","id":"1","op":"call","p":["joinMethod"],"a":["onMessage"]}`,
		"classic":  `{"id":"1","method":"join","args":["__callback__6f9619ff8b86d0%d"],"type":"request","callbackIds":["6f9619ff8b86d0%d"],"version":"json"}` + "\n",
	}
	for name, call := range calls {
		b.Run(name, func(b *testing.B) {
			hub, err := rooms.NewHub[string](nil)
			if err != nil {
				b.Fatal(err)
			}
			defer hub.Close()
			room := hub.Room("go")
			var joined sync.WaitGroup
			api, err := kkrpc.Expose(kkrpc.Object{
				"join": func(ctx context.Context, listen func(string)) error {
					defer joined.Done()
					_, err := room.Join(ctx, listen, nil)
					return err
				},
				"joinMethod": func(ctx context.Context, path string) error {
					defer joined.Done()
					_, err := room.JoinMethod(ctx, path, nil)
					return err
				},
			})
			if err != nil {
				b.Fatal(err)
			}
			for i := range members {
				joined.Add(1)
				s := &sink{[]byte(strings.ReplaceAll(call, "%d", fmt.Sprint(1000+i))), make(chan struct{})}
				ch, err := kkrpc.New(b.Context(), s, &kkrpc.Options{Expose: api})
				if err != nil {
					b.Fatal(err)
				}
				defer close(s.closed)
				defer ch.Close()
			}
			joined.Wait()
			text := fmt.Sprintf("%064d", 0)
			for b.Loop() {
				if _, err := room.Publish(b.Context(), text); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/members, "ns/delivery")
			b.ReportMetric(0, "ns/op")
		})
	}
}
