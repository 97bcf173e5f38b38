// Package signin signs who a user is, so that a server recognises the user without a database. It stands for the identity
// provider of a real program: here anybody may take any name.
package signin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Key signs claims. All processes of one chat have the same.
type Key []byte

// KeySize is the size of a key in bytes.
const KeySize = 32

// NewKey returns a random key.
func NewKey() Key {
	key := make(Key, KeySize)
	rand.Read(key) // never fails
	return key
}

// Purpose says what a claim is good for. A claim for one purpose is none for another.
type Purpose string

const (
	Session Purpose = "session" // in the cookie of a browser, or the header Authorization of a program
	Ticket  Purpose = "ticket"  // for one connection, from a page that has no cookie of this server
)

// Claim is who somebody is, and for how long.
type Claim struct {
	User  string
	Until time.Time // to the second
	ID    string    // no other claim has it
}

// ErrClaim means that a text is no valid claim: it is malformed, has expired, is for another purpose, or was not signed by
// this key. Which of these is not told, as nobody needs to know.
var ErrClaim = errors.New("signin: not signed in, or no longer")

// Sign returns a claim as text, which may be part of a header or a URL.
func (k Key) Sign(p Purpose, user string, until time.Time) string {
	claim := encode([]byte(user)) + "." + strconv.FormatInt(until.Unix(), 36) + "." + rand.Text()
	return claim + "." + encode(k.mac(p, claim))
}

// Verify returns the claim that Sign has made.
func (k Key) Verify(p Purpose, text string, now time.Time) (Claim, error) {
	end := strings.LastIndexByte(text, '.')
	if end < 0 {
		return Claim{}, ErrClaim
	}
	mac, err := decode(text[end+1:])
	if err != nil || !hmac.Equal(mac, k.mac(p, text[:end])) {
		return Claim{}, ErrClaim
	}
	parts := strings.Split(text[:end], ".") // as Sign has made it
	user, err := decode(parts[0])
	if err != nil {
		return Claim{}, ErrClaim
	}
	seconds, err := strconv.ParseInt(parts[1], 36, 64)
	if err != nil || now.Unix() >= seconds {
		return Claim{}, ErrClaim
	}
	return Claim{User: string(user), Until: time.Unix(seconds, 0), ID: parts[2]}, nil
}

func (k Key) mac(p Purpose, claim string) []byte {
	h := hmac.New(sha256.New, k)
	h.Write([]byte(string(p) + " " + claim))
	return h.Sum(nil)
}

func encode(data []byte) string          { return base64.RawURLEncoding.EncodeToString(data) }
func decode(text string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(text) }
