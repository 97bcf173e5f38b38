package announce

import "encoding/base64"

// BinaryFrame is the first byte of each binary frame, and of no text in UTF-8.
const BinaryFrame = 0xB1

// Mark returns the mark of a new binary frame, as kkrpc.ByteCarrier has it.
func Mark() string {
	var mark [12]byte
	random(mark[:])
	return base64.RawURLEncoding.EncodeToString(mark[:])
}
