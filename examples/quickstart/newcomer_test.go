//go:build unix

package quickstart_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The commands of the README.
const (
	install   = "npm install kkrpc@0 ws tsx"
	runClient = "npx tsx client.mts"
	runServer = "npx tsx server.mts"
	override  = "npm pkg set 'overrides.kkrpc.typescript=$typescript'"
	installTS = "npm install -D typescript@7 @types/ws"
	checkTS   = "npx tsc --noEmit"
	genTypes  = "go run ./cmd/kkrpc gen ts ./examples/quickstart/server -o api.gen.ts"
)

// TestNewcomer types the commands of the README into a new folder, with the packages that npm has today.
func TestNewcomer(t *testing.T) {
	if testing.Short() {
		t.Skip("installs npm packages: not under -short")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip(err)
	}
	for _, command := range []string{install, runClient, runServer, override, genTypes} {
		isShown(t, command)
	}
	for _, row := range []struct {
		name     string
		commands []string
		refused  string // the error of the last command, for which the README has a remedy
		then     []string
	}{
		{name: "an empty folder", commands: []string{install}},
		{"a project with TypeScript 7", []string{"npm init -y", installTS, install}, "ERESOLVE", []string{override, install, "npx tsc --init", genTypes, checkTS}},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := save(t, t.TempDir())
			for i, command := range append(row.commands, row.then...) {
				out, err := f.shell(t, command).CombinedOutput()
				switch {
				case err != nil && offline.Match(out):
					t.Skipf("no registry: %s\n%s", command, out)
				case row.refused != "" && i == len(row.commands)-1:
					if err == nil || !strings.Contains(string(out), row.refused) {
						t.Errorf("%s ended with %v, want %s: the README can say less\n%s", command, err, row.refused, out)
					}
				case err != nil:
					t.Fatalf("%s: %v\n%s", command, err, out)
				}
			}
			t.Run("Go server", func(t *testing.T) {
				f.serve(t, f.command(t, "server"), kill)
				expect(t, f.shell(t, runClient), clientPrints)
			})
			t.Run("TypeScript server", func(t *testing.T) {
				f.serve(t, f.shell(t, runServer), killGroup)
				expect(t, f.command(t, "client"), goPrints)
			})
			t.Run("child", func(t *testing.T) {
				expect(t, f.command(t, "parent"), goPrints)
			})
		})
	}
}

// offline is what npm says where it reaches no registry.
var offline = regexp.MustCompile(`ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT`)

// shell runs a command in the folder as it is typed, and genTypes in the checkout, from where the file is copied here. npx
// starts further processes, which end with it.
func (f folder) shell(t *testing.T, command string) *exec.Cmd {
	t.Helper()
	dir := f.dir
	if command == genTypes {
		command, dir = strings.Replace(command, "-o ", "-o "+f.dir+"/", 1), "../.."
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "npm_config_update_notifier=false", "npm_config_fund=false", "npm_config_audit=false")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { killGroup(cmd); return nil }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
