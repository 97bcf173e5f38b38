// Package inner is a package of the program.
package inner

// Type has a method.
type Type struct{}

// Inner is exported.
func (Type) Inner() string { return "inner" }
