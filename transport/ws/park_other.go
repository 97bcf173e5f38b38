//go:build !linux && !js

package ws

import "time"

// parked has no room: on these systems a goroutine waits for each connection.
var parked parkingLot

type parkingLot struct{}

func (*parkingLot) remove(*conn) {}

// parkFor is Park of a session, whose sockets cannot park here.
func (c *conn) parkFor(time.Duration, func()) (parked bool) { return false }
