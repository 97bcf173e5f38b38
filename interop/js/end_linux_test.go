package js_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// roleVar makes the test binary one of the processes of TestEndWithTest, which have a pipe to the test as descriptor 3.
const roleVar = "KKRPC_TEST_ROLE"

func init() {
	switch os.Getenv(roleVar) {
	case "binary":
		cmd := process("server", os.NewFile(3, "pipe"))
		js.EndWithTest(cmd, syscall.SIGKILL)
		if err := cmd.Run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	case "server":
		pipe := os.NewFile(3, "pipe")
		fmt.Fprintln(pipe, os.Getpid())
		_ = syscall.Pause() // until the signal that the test is about
		os.Exit(1)
	}
}

func process(role string, pipe *os.File) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVar+"="+role)
	cmd.ExtraFiles = []*os.File{pipe}
	return cmd
}

func TestEndWithTest(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	binary := process("binary", write)
	if err := binary.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	var server int
	if _, err := fmt.Fscanln(read, &server); err != nil {
		t.Fatal(err)
	}
	_ = binary.Process.Kill()
	_ = binary.Wait()
	if err := read.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(read); err != nil {
		t.Errorf("the process is there after the one that started it was killed: %v", err)
		_ = syscall.Kill(server, syscall.SIGKILL)
	}
}
