package interop_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// endings are how calls have ended, by their numbers.
type endings struct {
	Answered, Refused []int
	Crossed           []int // begun after SIGTERM and sent too late to be refused, by a client that got little of the processor
	Wrong             []string
}

const (
	drainChannels = 5   // of each client
	drainCalls    = 100 // under way on each
)

// TestShutdownUnderLoad sends SIGTERM to a server with 1,000 calls under way, from kkrpc in Node and from Go, while the clients go
// on. Each call is answered and has run, or is refused by name and has not. A further one may cross the close, and has not run.
func TestShutdownUnderLoad(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs SIGTERM")
	}
	js.Dir(t) // or skips
	exe := filepath.Join(t.TempDir(), "drainserver")
	if out, err := exec.Command("go", "build", "-o", exe, "./drainserver").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for round := range 2 {
		t.Run(strconv.Itoa(round), func(t *testing.T) { shutDownUnderLoad(t, exe) })
	}
}

func shutDownUnderLoad(t *testing.T, exe string) {
	var log js.Output
	server := exec.CommandContext(t.Context(), exe)
	server.Stderr = &log
	js.EndWithTest(server, syscall.SIGKILL)
	stdout := startPiped(t, server)
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		t.Fatalf("the server says nothing: %s", &log)
	}
	url := lines.Text()

	node := js.Node.Command(t, filepath.Join(js.Dir(t), "drain-client.mts"), url, "1000000", strconv.Itoa(drainChannels), strconv.Itoa(drainCalls))
	node.Stderr = &log
	goOn, err := node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(startPiped(t, node))
	said.Buffer(nil, 1<<20)

	own := drainClient(t, url)
	if !said.Scan() || said.Text() != "sent" {
		t.Fatalf("the client in Node says %q: %s", said.Text(), &log)
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(goOn, "go on")
	fromGo := own()
	var fromNode endings
	if !said.Scan() || json.Unmarshal(said.Bytes(), &fromNode) != nil {
		t.Fatalf("the client in Node says %q: %s", said.Text(), &log)
	}
	var ran []int
	for lines.Scan() {
		id, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		ran = append(ran, id)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("the server: %v\n%s", err, &log)
	}
	if err := node.Wait(); err != nil {
		t.Errorf("the client in Node: %v\n%s", err, &log)
	}

	for name, got := range map[string]endings{"Node": fromNode, "Go": fromGo} {
		t.Logf("%s: %d answered, %d refused, %d crossed the close", name, len(got.Answered), len(got.Refused), len(got.Crossed))
		if len(got.Wrong) > 0 {
			t.Errorf("%s: neither answered nor refused: %v", name, got.Wrong)
		}
		if len(got.Answered)+len(got.Refused) < drainChannels*drainCalls || len(got.Refused)+len(got.Crossed) < drainChannels {
			t.Errorf("%s: only %d answered, %d refused", name, len(got.Answered), len(got.Refused))
		}
	}
	answered := slices.Concat(fromNode.Answered, fromGo.Answered)
	slices.Sort(answered)
	slices.Sort(ran)
	if !slices.Equal(answered, ran) {
		t.Errorf("%d calls have run, %d were answered", len(ran), len(answered))
	}
	for _, id := range slices.Concat(fromNode.Refused, fromGo.Refused, fromNode.Crossed, fromGo.Crossed) {
		if _, found := slices.BinarySearch(ran, id); found {
			t.Errorf("call %d has no answer and has run", id)
		}
	}
}

// startPiped starts cmd and returns what it prints.
func startPiped(t *testing.T, cmd *exec.Cmd) io.Reader {
	t.Helper()
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return stdout
}

// drainClient is the client in Go. It returns when its calls have been sent. goOn waits for their ends, and makes further
// calls until each channel has been refused.
func drainClient(t *testing.T, url string) (goOn func() endings) {
	var mu sync.Mutex
	var ended endings
	id := 0
	work := func(ch *kkrpc.Channel) bool {
		mu.Lock()
		id++
		id := id
		mu.Unlock()
		got, err := kkrpc.Call[int](t.Context(), ch, "work", id)
		mu.Lock()
		defer mu.Unlock()
		refused, _ := errors.AsType[*kkrpc.Error](err)
		switch {
		case err == nil && got == 2*id:
			ended.Answered = append(ended.Answered, id)
			return true
		case refused != nil && refused.Name == "RPCUnavailableError":
			ended.Refused = append(ended.Refused, id)
		case errors.Is(err, kkrpc.ErrClosed) && id > drainChannels*drainCalls:
			ended.Crossed = append(ended.Crossed, id)
		default:
			ended.Wrong = append(ended.Wrong, fmt.Sprintf("%d: %d, %v", id, got, err))
		}
		return false
	}
	var calls sync.WaitGroup
	var channels []*kkrpc.Channel
	for range drainChannels {
		ch, err := ws.Dial(t.Context(), url, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ch.Close() })
		channels = append(channels, ch)
		for range drainCalls {
			calls.Go(func() { work(ch) })
		}
	}
	for _, ch := range channels {
		for stats := ch.Stats(); stats.Made < drainCalls || stats.BytesOut > 0; stats = ch.Stats() {
			runtime.Gosched()
		}
	}
	return func() endings {
		for _, ch := range channels {
			calls.Go(func() {
				for work(ch) {
				}
			})
		}
		calls.Wait()
		return ended
	}
}
