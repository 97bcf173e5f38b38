package kkhttp_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/kkhttp"
)

// FuzzHandler: whatever the body, there is an answer, and it is a response or a refusal.
func FuzzHandler(f *testing.F) {
	for _, body := range []string{
		`{"t":"q","id":"1","op":"call","p":["echo"],"a":[{"__kkrpc_next_arg__":"value","v":1}]}`,
		`{"t":"q","id":"1","op":"set","p":["theme"],"v":{"__kkrpc_ref__":true,"id":"r","kind":"object"}}`,
		`{"json":{"t":"q","id":"1","op":"get","p":["theme"]},"meta":{"values":{"v":["undefined"]},"v":1}}`,
		`{"id":"1","method":"echo","args":["__callback__c"],"type":"request","version":"json"}` + "\n",
		`{"json":{"id":1,"method":"echo","args":[null],"type":"request","transferSlots":null},"meta":{"values":{"id":["undefined"]}}}`,
		"\n{}\n" + `{"method":"echo","type":"request"}`,
		"__DESTROY__\n",
	} {
		f.Add(body)
	}
	h := kkhttp.Handler(api, &kkhttp.Options{RPC: kkrpc.Options{OnError: func(error) {}}})
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		hang := time.AfterFunc(10*time.Second, func() { panic(fmt.Sprintf("no answer to %q", body)) })
		h.ServeHTTP(w, r)
		hang.Stop()
		switch {
		case w.Code == 400:
		case w.Code != 200 || !strings.HasPrefix(w.Body.String(), "{"):
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
