package superjson_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/kkrpc-go/kkrpc/superjson"
)

var hrefs = []string{
	"http://x/", "http://x/100%", "http://x/a|b", "http://x/a^b", "http://x/#", "http://x/?", "http://x/?#", "http://x/%zz?%#%", "http://x/a%20b/ü?q=ü&r=%#ü|`",
	"https://user:p%40w@example.com:8080/a;b,c/d'e/[f]/~g!h*(i)?q=[1]&r={2}#frag/?x", "http://a:@x/", "http://@x/", "http://a;b=c:d@x/", "http://x:80/", "https://x:443/",
	"http://[::1]:3000/a", "http://192.168.1/", "http://münchen.de/", "http://x//a//b/../c", "http://x/%2f%2F/a", "http://x/a\\\\b", "http://a_b.c/", "http://x.y./",
	"mailto:a@b.c?subject=100%", "mailto:a b", "data:text/plain,100%#%", "javascript:alert('a|b %')", "blob:http://x/1-2", "file:///C:/a|b", "file:///a b%", "about:blank", "tel:+1",
	"foo:bar|baz^%", "foo://h%41st/p", "urn:a:b", "ws://x/a^b", "wss://x/%", "ftp://x/;type=i", "foo:", "foo:///", "foo:/a", "foo:?q", "foo:#f", "http://x/\u0001\u007f",
}

func TestURLsComeBackAsTheyWere(t *testing.T) {
	var js []string
	for _, href := range hrefs {
		quoted, _ := json.Marshal(href)
		js = append(js, "new URL("+string(quoted)+")")
	}
	for _, library := range libraries {
		var back []jsLine
		for i, text := range libraryWrites(t, superjson.ModeSuperJSON, library, js) {
			var tree any
			var typed url.URL
			for _, into := range []any{&tree, &typed} {
				if err := superjson.Unmarshal([]byte(text), into); err != nil {
					t.Errorf("%s into %T: %v", text, into, err)
				}
			}
			for _, v := range []any{tree, typed, &typed} {
				out, err := superjson.Marshal(v)
				if err != nil {
					t.Errorf("%s: %v", js[i], err)
					continue
				}
				back = append(back, jsLine{JS: js[i], Text: new(string(out))})
			}
		}
		for i, answer := range values(t, library, "read", back) {
			if !answer.OK {
				t.Errorf("%s of %s: %s", *back[i].Text, back[i].JS, answer.Why)
			}
		}
	}
}

func TestPartsOfURLs(t *testing.T) {
	type parts struct{ Host, Path, Query, Fragment string }
	for href, want := range map[string]parts{
		"http://x/100%?a=%#b":  {"x", "/100%", "a=%", "b"},
		"http://x:1/a|b?q=1#f": {"x:1", "/a|b", "q=1", "f"},
		"http://x/a^b?":        {"x", "/a^b", "", ""},
		"http://u:p@x/#":       {"x", "/", "", ""},
		"http://x/a?q=1":       {"x", "/a", "q=1", ""},
	} {
		for _, mode := range numberModes {
			var u *url.URL
			quoted, _ := json.Marshal(href)
			if err := superjson.Decode(mode, quoted, nil, &u); err != nil {
				t.Errorf("%s: %v", href, err)
			} else if got := (parts{u.Host, u.Path, u.RawQuery, u.Fragment}); got != want || u.String() != href {
				t.Errorf("%s: got %+v, %s", href, got, u)
			}
		}
	}
	for _, text := range []string{"http://", "http:", "http:///", "100%", "/a%", "1a:%", "http:%", ":%", "http:x"} {
		var u url.URL
		if err := superjson.Unmarshal([]byte(`{"json":"`+text+`"}`), &u); err == nil {
			t.Errorf("%s became %#v", text, u)
		}
	}
	// A text that is no href is read as package url reads it.
	for text, want := range map[string]string{"http://x/a b": "http://x/a%20b", "/a b": "/a%20b", "HTTP://x/": "http://x/"} {
		var u url.URL
		if err := superjson.Decode(superjson.ModeJSON, []byte(`"`+text+`"`), nil, &u); err != nil || u.String() != want || u.Opaque != "" {
			t.Errorf("%s became %s, %v", text, &u, err)
		}
	}
}
