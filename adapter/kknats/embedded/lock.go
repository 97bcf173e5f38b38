package embedded

import "errors"

var errInUse = errors.New("it is in use by another server")
