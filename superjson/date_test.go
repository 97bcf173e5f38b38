package superjson_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// The library and JSON.stringify write an invalid Date as null.
func TestInvalidDateIsNull(t *testing.T) {
	for _, library := range libraries {
		for _, mode := range numberModes {
			text := libraryWrites(t, mode, library, []string{"new Date(NaN)", "({at:new Date('x')})"})
			for _, read := range []func() (any, error){
				func() (any, error) { return decodeAs[time.Time](mode, text[0]) },
				func() (any, error) { return decodeAs[struct{ At time.Time }](mode, text[1]) },
				func() (any, error) { return decodeAs[map[string]time.Time](mode, text[1]) },
			} {
				if got, err := read(); err == nil || !strings.HasSuffix(err.Error(), "expected Date, got null") {
					t.Errorf("%s, mode %d: got %v, %v", library, mode, got, err)
				}
			}
			for _, read := range []func(superjson.Mode, string) (any, error){decodeAs[*time.Time], decodeAs[any]} {
				if got, err := read(mode, text[0]); err != nil || got != nil && got != (*time.Time)(nil) {
					t.Errorf("%s, mode %d: got %v, %v", library, mode, got, err)
				}
			}
		}
	}
}
