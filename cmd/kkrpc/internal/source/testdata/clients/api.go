// Package clients has an interface with a type that is not exported.
package clients

// Secret takes one.
type Secret interface {
	Tell(s []secret) error
}

type secret string
