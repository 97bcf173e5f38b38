package contract

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/kkrpc-go/kkrpc/schema"
	"github.com/kkrpc-go/kkrpc/tsgen"
)

// Files returns a handler of GET requests for the TypeScript types of api, under /api.d.ts, and for its description, under
// /api.json:
//
//	files, err := contract.Files(described, nil)
//	http.Handle("/api.d.ts", files)
//	http.Handle("/api.json", files)
//
// They tell everybody who can send a request what can be called. api is a description by schema.Of, or better one that
// kkrpc gen json has written, which has comments and names of parameters. opts are those of tsgen.Generate.
func Files(api *schema.API, opts *tsgen.Options) (http.Handler, error) {
	types := tsgen.Options{}
	if opts != nil {
		types = *opts
	}
	types.TypesOnly = true
	declarations, err := tsgen.Generate(api, &types)
	if err != nil {
		return nil, err
	}
	description, err := json.MarshalIndent(api, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("contract: describe: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /api.d.ts", file("text/plain; charset=utf-8", declarations))
	mux.Handle("GET /api.json", file("application/json", append(description, '\n')))
	return mux, nil
}

// file serves a text that changes with the program only.
func file(contentType string, text []byte) http.HandlerFunc {
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(text))
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Etag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
	}
}
