package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// browser is a page of a user in Chromium.
type browser struct {
	*js.Page
	t *testing.T
}

// visit opens the page and signs in.
func visit(t *testing.T, chrome *js.Chrome, addr, name string) browser {
	t.Helper()
	b := browser{chrome.Open("http://" + addr + "/"), t}
	b.Size(1280, 800, false)
	b.Wait(`!document.getElementById("sign-in").hidden && document.activeElement?.id === "name"`)
	b.shoot("sign-in")
	b.Type(name)
	b.Press("Enter", 0)
	b.online()
	return b
}

// online waits until the page is connected to the room that it shows.
func (b browser) online() {
	b.t.Helper()
	b.Wait(`document.getElementById("chat").dataset.state === "online"`)
}

// say writes a message as a person does.
func (b browser) say(text string) {
	b.t.Helper()
	b.Eval(`document.getElementById("text").focus()`, nil)
	b.Type(text)
	b.Press("Enter", 0)
}

// texts are the messages that the page shows, with those that are on their way.
func (b browser) texts() (texts []string) {
	b.t.Helper()
	b.Eval(`[...document.querySelectorAll("#messages .text")].map((e) => e.textContent)`, &texts)
	return texts
}

// sees waits until the page shows exactly these messages, all of which the server has stored.
func (b browser) sees(want ...string) {
	b.t.Helper()
	text, err := json.Marshal(want)
	if err != nil {
		b.t.Fatal(err)
	}
	b.Wait(fmt.Sprintf(`JSON.stringify([...document.querySelectorAll("#messages .message:not(.pending) .text")].map((e) => e.textContent)) === JSON.stringify(%s)
		&& !document.querySelector(".pending")`, text))
}

// shoot keeps a picture for people to look at, if a folder for pictures is named.
func (b browser) shoot(name string) {
	b.t.Helper()
	if dir := os.Getenv("KKRPC_SCREENSHOTS"); dir != "" {
		b.Screenshot(filepath.Join(dir, name+".png"))
	}
}

// calm checks that nothing is wrong with the page but what the test has caused: lost connections.
func (b browser) calm() {
	b.t.Helper()
	complaints := slices.DeleteFunc(b.Complaints(), func(text string) bool {
		return strings.Contains(text, "net::ERR_") || strings.HasPrefix(text, "WebSocket connection to ") ||
			strings.Contains(text, "401 (Unauthorized)") && strings.HasSuffix(text, "/session") // before signing in
	})
	if len(complaints) > 0 {
		b.t.Errorf("the page complains:\n%s", strings.Join(complaints, "\n"))
	}
}

// TestPages has two people talk while one loses the network and the server restarts.
func TestPages(t *testing.T) {
	dir := t.TempDir()
	chrome := js.StartChrome(t)
	server := start(t, "--addr", "127.0.0.1:0", "--dir", dir)
	lineA, lineE := newProxy(t, server.addr), newProxy(t, server.addr)
	ada, eve := visit(t, chrome, lineA.addr, "Ada"), visit(t, chrome, lineE.addr, "Eve")

	ada.Wait(`document.getElementById("people-list").innerText.includes("Eve")`)
	ada.say("Hello Eve!")
	eve.sees("Hello Eve!")
	eve.Eval(`document.getElementById("text").focus()`, nil)
	eve.Type("I am")
	ada.Wait(`document.getElementById("typing").textContent === "Eve is writing …"`)
	eve.Type(" here.")
	eve.Press("Enter", 8)
	eve.Type("<b>Really</b>, see https://example.com/a?b=c.")
	eve.Press("Enter", 0)
	second := "I am here.\n<b>Really</b>, see https://example.com/a?b=c."
	ada.sees("Hello Eve!", second)
	ada.Wait(`document.querySelector("#messages a").href === "https://example.com/a?b=c" && !document.querySelector("#messages b")`)
	ada.Wait(`document.getElementById("typing").textContent === ""`)

	t.Run("offline", func(t *testing.T) {
		network := map[string]any{"offline": true, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
		eve.Do("Network.emulateNetworkConditions", network, nil)
		eve.Wait(`document.getElementById("state").textContent === "You are offline"`)
		lineE.set(false) // what Chromium does not do to open WebSockets
		eve.Wait(`document.getElementById("chat").dataset.state !== "online"`)
		ada.Wait(`!document.getElementById("people-list").innerText.includes("Eve")`)
		ada.say("Are you gone?")
		ada.say("Come back!")
		eve.say("I cannot reach you.")
		eve.Wait(`document.querySelector(".pending .text").textContent === "I cannot reach you."`)
		eve.shoot("offline")
		want := []string{"Hello Eve!", second, "Are you gone?", "Come back!"}
		ada.sees(want...)
		lineE.set(true)
		network["offline"] = false
		eve.Do("Network.emulateNetworkConditions", network, nil)
		want = append(want, "I cannot reach you.")
		eve.sees(want...)
		ada.sees(want...)
	})

	t.Run("answer lost", func(t *testing.T) {
		before := ada.texts()
		lineE.deaf.Store(true)
		eve.say("Stored, but Eve does not know.")
		want := append(before, "Stored, but Eve does not know.")
		ada.sees(want...)
		eve.Wait(`document.querySelector(".pending .text").textContent === "Stored, but Eve does not know."`)
		lineE.set(false)
		lineE.deaf.Store(false)
		lineE.set(true)
		eve.sees(want...)
		eve.say("Now she does.")
		ada.sees(append(want, "Now she does.")...)
	})

	t.Run("restart", func(t *testing.T) {
		before := ada.texts()
		server.stop(t)
		ada.Wait(`document.getElementById("chat").dataset.state !== "online"`)
		ada.say("While it is down")
		server := start(t, "--addr", "127.0.0.1:0", "--dir", dir)
		lineA.target.Store(&server.addr)
		lineE.target.Store(&server.addr)
		ada.sees(append(before, "While it is down")...)
		eve.sees(append(before, "While it is down")...)
		eve.say("And we are back.")
		ada.sees(append(before, "While it is down", "And we are back.")...)
	})
	ada.calm()
	eve.calm()
}

// tokenOf is what `chat --token NAME` prints.
func tokenOf(t *testing.T, dir, name string) string {
	t.Helper()
	out, err := exec.Command(program(t), "--dir", dir, "--token", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// say sends messages of a program, and returns the number of the last.
func (c *client) say(room string, texts ...string) (last uint64) {
	c.t.Helper()
	for _, text := range texts {
		var err error
		if last, err = c.send(text, room); err != nil {
			c.t.Fatal(err)
		}
	}
	return last
}

func count(n int, text string) (texts []string) {
	for i := range n {
		texts = append(texts, fmt.Sprintf("%s %d", text, i+1))
	}
	return texts
}

// TestReading has a person read what others have written: a long history, and messages in several rooms.
func TestReading(t *testing.T) {
	dir := t.TempDir()
	chrome := js.StartChrome(t)
	server := start(t, "--addr", "127.0.0.1:0", "--dir", dir)
	in := func(room, user string) *client { return dial(t, "http://"+server.addr, tokenOf(t, dir, user), room) }
	bob, grace := in("lobby", "Bob"), in("lobby", "Grace Hopper")
	bob.join("lobby", nil)
	grace.join("lobby", nil)
	history := count(119, "An old message, number")
	for texts := range slices.Chunk(history, burst/2) { // by several connections, as one may not send so many
		in("lobby", "Bob").say("lobby", texts...)
	}
	grace.say("lobby", "It is often easier to ask for forgiveness than to ask for permission.")

	ada := visit(t, chrome, server.addr, "Ada Lovelace")
	ada.Wait(`document.querySelectorAll(".message").length === 50 && document.title === "#lobby – Chat" && !document.querySelector(".divider")`)
	ada.Wait(`document.getElementById("scroll").scrollTop + document.getElementById("scroll").clientHeight >= document.getElementById("scroll").scrollHeight - 1`)

	t.Run("history", func(t *testing.T) {
		// What is on the screen stays there while earlier messages come above it.
		place := `document.querySelector("[data-key=" + JSON.stringify(window.key) + "]").getBoundingClientRect().top`
		ada.Eval(`{
			document.getElementById("scroll").scrollTop = 290
			window.key = [...document.querySelectorAll(".message")].find((e) => e.getBoundingClientRect().top > 200).dataset.key
		}`, nil)
		var before, after float64
		ada.Eval(place, &before)
		ada.Wait(`document.querySelectorAll(".message").length === 100`)
		ada.Eval(place, &after)
		if after < before-2 || after > before+2 {
			t.Errorf("a message has moved from %v to %v", before, after)
		}
		bob.say("lobby", "You cannot see this yet.")
		ada.Wait(`document.getElementById("newest").textContent === "↓ 1 new" && document.title === "(1) #lobby – Chat"`)
		ada.Eval(place, &after)
		if after < before-2 || after > before+2 {
			t.Errorf("a new message has moved another from %v to %v", before, after)
		}
		ada.shoot("history")
		ada.Eval(`document.getElementById("scroll").scrollTop = 0`, nil)
		ada.Wait(`document.querySelectorAll(".message").length === 121`)
		ada.Eval(`document.getElementById("scroll").scrollTop = 0`, nil)
		ada.Wait(`document.getElementById("beginning").textContent === "This is where #lobby begins."`)
		ada.Eval(`document.getElementById("newest").click()`, nil)
		ada.Wait(`document.title === "#lobby – Chat" && document.getElementById("newest").hidden`)
		if texts := ada.texts(); texts[0] != history[0] || len(texts) != 121 || texts[120] != "You cannot see this yet." {
			t.Errorf("the page has %d messages, from %q to %q", len(texts), texts[0], texts[len(texts)-1])
		}
	})

	t.Run("unread", func(t *testing.T) {
		helper := in("help", "Bob")
		ada.Wait(`[...document.querySelectorAll("#room-list button")].every((e) => !e.classList.contains("away"))`)
		helper.say("help", "How do I leave vim?", "Never mind.")
		ada.Wait(`document.title === "(2) #lobby – Chat" && document.querySelector("[data-room=help] .badge").textContent === "2"`)
		bob.join("lobby", nil)
		grace.say("lobby", "The most dangerous phrase is: we have always done it this way.\nhttps://example.com/hopper")
		ada.say("I like that one. 😀")
		bob.say("lobby", "Me too.")
		ada.Wait(`document.querySelector("#messages .message:last-child .text").textContent === "Me too."`) // which ends his writing
		if err := bob.Call(t.Context(), nil, "typing", "lobby"); err != nil {
			t.Fatal(err)
		}
		ada.Wait(`document.getElementById("typing").textContent === "Bob is writing …"`)
		ada.shoot("light")
		ada.Do("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": "dark"}}}, nil)
		ada.shoot("dark")
		ada.Press("ArrowDown", js.Alt) // the next room
		ada.Wait(`document.title === "#help – Chat" && document.querySelector(".divider + .message .text").textContent === "How do I leave vim?"`)
		ada.shoot("divider")
		ada.Do("Page.reload", struct{}{}, nil)
		ada.Wait(`document.title === "#help – Chat" && document.querySelectorAll(".message").length === 2 && !document.querySelector(".divider")`)
		ada.online()
	})

	t.Run("many unread", func(t *testing.T) {
		in("random", "Bob").say("random", count(40, "Something new, number")...)
		ada.Wait(`document.querySelector("[data-room=random] .badge").textContent === "40"`)
		ada.Press("ArrowDown", js.Alt)
		ada.Wait(`document.title === "(40) #random – Chat" && document.getElementById("newest").textContent === "↓ 40 new"`)
		ada.Wait(`(({ top, bottom }) => top > 60 && bottom < 700)(document.querySelector(".divider").getBoundingClientRect())`)
		ada.Size(800, 600, false)
		ada.shoot("tablet")
		ada.Size(1280, 800, false)
		ada.Press("Escape", 0)
		ada.Wait(`document.title === "#random – Chat" && document.getElementById("newest").hidden`)
		ada.Press("ArrowUp", js.Alt)
		ada.Wait(`document.title === "#help – Chat"`)
	})

	t.Run("phone", func(t *testing.T) {
		ada.Size(390, 780, true)
		ada.Wait(`getComputedStyle(document.getElementById("open-rooms")).display !== "none"`)
		bob.say("lobby", "Are you on the phone?")
		ada.Wait(`document.getElementById("elsewhere").textContent === "1"`)
		ada.shoot("phone")
		ada.Eval(`document.getElementById("open-rooms").click()`, nil)
		ada.Wait(`document.getElementById("rooms").getBoundingClientRect().left === 0`)
		ada.shoot("phone-rooms")
		ada.Eval(`document.querySelector("[data-room=lobby]").click()`, nil)
		ada.Wait(`document.title === "#lobby – Chat" && document.getElementById("rooms").getBoundingClientRect().right <= 0`)
		ada.shoot("phone-lobby")
		ada.Do("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{}}, nil)
		ada.Eval(`document.getElementById("open-people").click()`, nil)
		ada.Wait(`document.getElementById("people").getBoundingClientRect().right === 390`)
		ada.shoot("phone-people")
	})
	ada.calm()
}

// TestPagesOfCluster has two people talk through different processes, one of which is killed. Its page goes to another one, as
// a load balancer makes it.
func TestPagesOfCluster(t *testing.T) {
	chrome := js.StartChrome(t)
	processes := startCluster(t, t.TempDir(), freeAddresses(t, 3))
	lineA, lineE := newProxy(t, processes[0].addr), newProxy(t, processes[1].addr)
	ada, eve := visit(t, chrome, lineA.addr, "Ada"), visit(t, chrome, lineE.addr, "Eve")
	ada.Wait(`document.getElementById("people-list").innerText.includes("Eve")`)
	ada.say("Hello from one!")
	eve.sees("Hello from one!")
	eve.say("Hello from two!")
	ada.sees("Hello from one!", "Hello from two!")

	processes[1].kill()
	killed := time.Now()
	eve.Wait(`document.getElementById("chat").dataset.state !== "online"`)
	ada.Wait(`document.getElementById("people-title").textContent === "1 person here"`)
	const ping, machine = 3 * time.Second, 4 * time.Second // that of the hub, and what a busy machine takes
	if took := time.Since(killed); took > ping+machine {
		t.Errorf("Eve was present for %v after her process was killed", took)
	} else {
		t.Logf("Eve was present for %v", took)
	}
	eve.say("Is anybody there?")
	ada.say("Two is gone.")
	lineE.target.Store(&processes[2].addr)
	for _, b := range []browser{ada, eve} {
		b.Wait(`document.querySelectorAll("#messages .message:not(.pending)").length === 4 && !document.querySelector(".pending")`)
	}
	if diff := cmp.Diff(ada.texts(), eve.texts()); diff != "" {
		t.Errorf("the pages differ (-Ada +Eve):\n%s", diff)
	}
	ada.Wait(`document.getElementById("people-title").textContent === "2 people here"`)
	ada.calm()
	eve.calm()
}
