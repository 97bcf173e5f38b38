//go:build !linux && !js

package ws

// parked has no room: on these systems a goroutine waits for each connection.
var parked parkingLot

type parkingLot struct{}

func (*parkingLot) remove(*conn) {}
