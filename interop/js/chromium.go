package js

import "testing"

// Browse shows a page in Chromium, without a window, until the test ends. What the page has found out it has to send
// somewhere. StartChrome is for tests that do something with the page.
func Browse(tb testing.TB, url string) {
	tb.Helper()
	runChromium(tb, nil, "--remote-debugging-port=0", url)
}
