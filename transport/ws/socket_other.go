//go:build !unix && !js

package ws

import "errors"

// initRaw leaves raw nil: these systems offer no readiness, and every connection reads into its idle buffer.
func (c *conn) initRaw() {}

// rawWrite is never called without raw.
func (c *conn) rawWrite([][]byte, bool) (int, error) { return 0, errors.ErrUnsupported }
