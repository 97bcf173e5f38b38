package signin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/examples/chat/signin"
)

func TestVerify(t *testing.T) {
	key, now := signin.NewKey(), time.Unix(1_000_000, 0)
	claim := key.Sign(signin.Session, "Ada. Ü", now.Add(time.Minute))
	got, err := key.Verify(signin.Session, claim, now)
	if err != nil || got.User != "Ada. Ü" || !got.Until.Equal(now.Add(time.Minute)) {
		t.Errorf("the claim is %+v, %v", got, err)
	}
	if again, err := key.Verify(signin.Session, key.Sign(signin.Session, "Ada. Ü", now.Add(time.Minute)), now); err != nil || again.ID == got.ID {
		t.Errorf("a second claim has the id %q like the first, %v", again.ID, err)
	}
	parts := strings.Split(claim, ".")
	for what, verify := range map[string]func() (signin.Claim, error){
		"another purpose": func() (signin.Claim, error) { return key.Verify(signin.Ticket, claim, now) },
		"another key":     func() (signin.Claim, error) { return signin.NewKey().Verify(signin.Session, claim, now) },
		"too late":        func() (signin.Claim, error) { return key.Verify(signin.Session, claim, now.Add(time.Minute)) },
		"another user": func() (signin.Claim, error) {
			return key.Verify(signin.Session, "QWRh"+claim[strings.IndexByte(claim, '.'):], now)
		},
		"a longer life": func() (signin.Claim, error) {
			return key.Verify(signin.Session, parts[0]+".zzzzzz."+parts[2]+"."+parts[3], now)
		},
		"nothing":      func() (signin.Claim, error) { return key.Verify(signin.Session, "", now) },
		"no signature": func() (signin.Claim, error) { return key.Verify(signin.Session, strings.Join(parts[:3], "."), now) },
		"points":       func() (signin.Claim, error) { return key.Verify(signin.Session, "...", now) },
	} {
		if got, err := verify(); err != signin.ErrClaim {
			t.Errorf("%s: the claim is %+v, %v", what, got, err)
		}
	}
}
