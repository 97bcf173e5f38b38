//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package stdio

import (
	"errors"
	"fmt"
	"os"
)

func takePipes() (in, out *os.File, err error) {
	return nil, nil, fmt.Errorf("stdio: Options.Pipes needs Unix: %w", errors.ErrUnsupported)
}

// takeStandard takes the files and puts nothing and standard error in their place.
func takeStandard() (in, out *os.File, err error) {
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		return nil, nil, fmt.Errorf("stdio: taking over standard input and output: %w", err)
	}
	in, out = os.Stdin, os.Stdout
	os.Stdin, os.Stdout = nothing, os.Stderr
	return in, out, nil
}
