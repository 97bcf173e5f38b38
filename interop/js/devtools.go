package js

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience is how long a Page waits for what must happen.
const Patience = 30 * time.Second

// Chrome is a Chromium without a window that a test drives by the DevTools protocol. Its methods may be called from any
// goroutine.
type Chrome struct {
	tb  testing.TB
	out io.Writer // of commands; guarded by mu

	mu      sync.Mutex // guards what follows
	last    int        // id of the last command
	waiting map[int]chan reply
	pages   map[string]*Page // by session
	gone    bool
}

// Page is a page in a Chrome, with cookies and storage of its own.
type Page struct {
	c       *Chrome
	session string

	mu         sync.Mutex
	complaints []string
}

// reply is what Chromium answers, or tells by itself.
type reply struct {
	ID      int             `json:"id"`
	Session string          `json:"sessionId"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   *struct{ Message string }
}

// StartChrome starts a Chromium that ends with the test.
func StartChrome(tb testing.TB) *Chrome {
	tb.Helper()
	commands, in, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, replies, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	runChromium(tb, []*os.File{commands, replies}, "--remote-debugging-pipe", "about:blank")
	_ = commands.Close()
	_ = replies.Close()
	c := &Chrome{tb: tb, out: in, waiting: map[int]chan reply{}, pages: map[string]*Page{}}
	done := make(chan struct{})
	go func() { // ends with Chromium
		defer close(done)
		c.read(out)
	}()
	tb.Cleanup(func() { // before that of runChromium
		_ = in.Close() // Chromium ends
		<-done
		_ = out.Close()
	})
	return c
}

// read hands out what Chromium says until it ends.
func (c *Chrome) read(from io.Reader) {
	for messages := bufio.NewReader(from); ; {
		text, err := messages.ReadBytes(0)
		if err != nil {
			break
		}
		var r reply
		if err := json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &r); err != nil {
			c.tb.Errorf("chromium said %q: %v", text, err)
			continue
		}
		c.mu.Lock()
		waiting, page := c.waiting[r.ID], c.pages[r.Session]
		delete(c.waiting, r.ID)
		c.mu.Unlock()
		if waiting != nil {
			waiting <- r
		} else if page != nil {
			page.note(r)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	for _, waiting := range c.waiting {
		close(waiting)
	}
}

// do runs a command and reads its result, unless result is nil.
func (c *Chrome) do(session, method string, params, result any) error {
	waiting := make(chan reply, 1)
	c.mu.Lock()
	if c.gone {
		c.mu.Unlock()
		return errors.New("chromium has ended")
	}
	c.last++
	text, err := json.Marshal(map[string]any{"id": c.last, "method": method, "params": params, "sessionId": session})
	if err == nil {
		c.waiting[c.last] = waiting
		_, err = c.out.Write(append(text, 0))
	}
	c.mu.Unlock()
	if err != nil {
		return err
	}
	var r reply
	select {
	case r = <-waiting:
	case <-time.After(Patience):
		return fmt.Errorf("%s: chromium has not answered for %v", method, Patience)
	}
	switch {
	case r.ID == 0:
		return errors.New("chromium has ended")
	case r.Error != nil:
		return fmt.Errorf("%s: %s", method, r.Error.Message)
	case result == nil:
		return nil
	}
	return json.Unmarshal(r.Result, result)
}

// Open opens a page at a URL. It does not wait until the page is loaded.
func (c *Chrome) Open(url string) *Page {
	c.tb.Helper()
	var context struct{ BrowserContextID string }
	var target struct{ TargetID string }
	var attached struct{ SessionID string }
	err := c.do("", "Target.createBrowserContext", struct{}{}, &context)
	if err == nil {
		err = c.do("", "Target.createTarget", map[string]any{"url": "about:blank", "browserContextId": context.BrowserContextID}, &target)
	}
	if err == nil {
		err = c.do("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	}
	if err != nil {
		c.tb.Fatal(err)
	}
	p := &Page{c: c, session: attached.SessionID}
	c.mu.Lock()
	c.pages[p.session] = p
	c.mu.Unlock()
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		p.Do(domain+".enable", struct{}{}, nil)
	}
	p.Do("Emulation.setFocusEmulationEnabled", map[string]any{"enabled": true}, nil) // each page has the focus
	p.Do("Page.navigate", map[string]any{"url": url}, nil)
	return p
}

// Do runs a command of the DevTools protocol and reads its result, unless result is nil. The test fails if it fails.
func (p *Page) Do(method string, params, result any) {
	p.c.tb.Helper()
	if err := p.c.do(p.session, method, params, result); err != nil {
		p.c.tb.Fatal(err)
	}
}

// note keeps what a page complains about.
func (p *Page) note(r reply) {
	var in struct {
		ExceptionDetails struct {
			Text      string
			Exception struct{ Description string }
		}
		Entry struct{ Level, Text, URL string }
	}
	_ = json.Unmarshal(r.Params, &in) // other events are of another form
	var complaint string
	switch {
	case r.Method == "Runtime.exceptionThrown":
		complaint = in.ExceptionDetails.Text + " " + in.ExceptionDetails.Exception.Description
	case r.Method == "Log.entryAdded" && in.Entry.Level == "error":
		complaint = in.Entry.Text + " " + in.Entry.URL
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.complaints = append(p.complaints, complaint)
}

// Complaints lists the exceptions that nothing in the page has caught, and the errors that the browser has logged, such as
// requests that have failed and what the page's policy forbids.
func (p *Page) Complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.complaints)
}

// eval evaluates an expression, waits if it is a promise, and reads its JSON.
func (p *Page) eval(expression string, result any) error {
	var out struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	params := map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true}
	if err := p.c.do(p.session, "Runtime.evaluate", params, &out); err != nil {
		return err
	}
	if e := out.ExceptionDetails; e != nil {
		return fmt.Errorf("%s: %s %s", expression, e.Text, e.Exception.Description)
	}
	if result == nil || len(out.Result.Value) == 0 {
		return nil
	}
	return json.Unmarshal(out.Result.Value, result)
}

// Eval evaluates a JavaScript expression in the page, waits if it is a promise, and reads its value, unless result is nil.
func (p *Page) Eval(expression string, result any) {
	p.c.tb.Helper()
	if err := p.eval(expression, result); err != nil {
		p.c.tb.Fatal(err)
	}
}

// Wait waits until an expression is true in the page.
func (p *Page) Wait(expression string) {
	p.c.tb.Helper()
	for end := time.Now().Add(Patience); ; time.Sleep(20 * time.Millisecond) {
		var is bool
		err := p.eval("!!("+expression+")", &is) // it fails while the page is loaded
		if is {
			return
		}
		if time.Now().After(end) {
			var text string
			_ = p.eval("document.body.innerText", &text)
			p.c.tb.Fatalf("waited %v for %s: %v\nthe page shows\n%s\nand complains\n%s", Patience, expression, err, text, strings.Join(p.Complaints(), "\n"))
		}
	}
}

// Type types a text into what has the focus.
func (p *Page) Type(text string) {
	p.c.tb.Helper()
	p.Do("Input.insertText", map[string]any{"text": text}, nil)
}

// Keys are the modifiers that Press holds.
const (
	Alt   = 1
	Shift = 8
)

// Press presses a key, such as Enter, while modifiers are held.
func (p *Page) Press(key string, modifiers int) {
	p.c.tb.Helper()
	code := map[string]int{"Enter": 13, "Escape": 27, "Tab": 9, "ArrowUp": 38, "ArrowDown": 40}[key]
	event := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
	if key == "Enter" {
		event["text"] = "\r"
	}
	p.Do("Input.dispatchKeyEvent", event, nil)
	p.Do("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}, nil)
}

// Size gives the page a size in CSS pixels. A mobile page has a screen for fingers.
func (p *Page) Size(width, height int, mobile bool) {
	p.c.tb.Helper()
	p.Do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}, nil)
	p.Do("Emulation.setTouchEmulationEnabled", map[string]any{"enabled": mobile}, nil)
}

// Screenshot writes what the page looks like to a PNG file.
func (p *Page) Screenshot(file string) {
	p.c.tb.Helper()
	var shot struct{ Data string }
	p.Do("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	image, err := base64.StdEncoding.DecodeString(shot.Data)
	if err == nil {
		err = os.WriteFile(file, image, 0o644)
	}
	if err != nil {
		p.c.tb.Fatal(err)
	}
}

// runChromium runs Chromium without a window until the test ends. It has files as its descriptors from 3 on.
func runChromium(tb testing.TB, files []*os.File, args ...string) {
	tb.Helper()
	exe := Chromium.Path(tb)
	profile, err := os.MkdirTemp("", "kkrpc-chromium-") // TempDir fails on what a dying process still writes
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(exe, append([]string{"--headless=new", "--user-data-dir=" + profile, "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-component-update",
		"--disable-background-timer-throttling",
		"--no-sandbox", // a container offers none, and the page is the test's own
	}, args...)...)
	cmd.ExtraFiles = files
	EndWithTest(cmd, syscall.SIGKILL)
	cmd.WaitDelay = time.Second // its children keep its output open
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // so that it ends its children
		kill := time.AfterFunc(3*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // by a signal
		kill.Stop()
		_ = os.RemoveAll(profile)
		if tb.Failed() {
			tb.Logf("chromium said:\n%s", output.Bytes())
		}
	})
}
