//go:build !linux && !js

package ws

// parked has no room: on these systems each connection has a goroutine that waits.
var parked parkingLot

type parkingLot struct{}

func (*parkingLot) add(*conn) bool { return false }

func (*parkingLot) remove(*conn) {}
