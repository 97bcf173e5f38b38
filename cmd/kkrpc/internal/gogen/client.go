// Package gogen writes Go clients: types with a method for each function of the peer. The methods call it without
// reflection.
package gogen

import "slices"

// File is a generated file.
type File struct {
	Package string // its name
	Imports *Imports
	// Clients are the client of the API and those of the namespaces in it, which come after the one that holds them.
	Clients []*Client
	// Implements is the interface that the first client implements, or empty.
	Implements string
	// Types are the declarations of types, after the clients.
	Types []Type
}

// Client is a type whose methods call the peer.
type Client struct {
	Name       string
	Doc        string
	New        string // the function that makes one; empty for a namespace
	Namespaces []Namespace
	Methods    []Method
}

// Namespace is a field of a client that holds another one.
type Namespace struct {
	Name   string
	Doc    string
	Client *Client
}

// Method calls a function of the peer, or does another operation on its API.
type Method struct {
	Name    string
	Doc     string
	Kind    Kind
	Path    string // as in kkrpc.Call
	Context string // the name of the parameter, perhaps _; empty for none
	Params  []Param
	// Result is the type of the value; empty for none. That of a Stream is the type of an item.
	Result string
	// Returns is the type that a Stream returns if that is not an iter.Seq2 by its name.
	Returns string
	Fails   bool // the last result is an error
}

// Kind is what a method does.
type Kind uint8

// The kinds of methods.
const (
	Call Kind = iota
	Stream
	Notify
	Get
	Set
	Construct
)

// Param is a parameter of a method.
type Param struct {
	Name     string // may be empty or a word that Go does not take
	Type     string // of one argument if Variadic
	Variadic bool
	// Optional reports a pointer, slice, map or func. If it is nil, and all optional ones behind it are, it is not sent.
	Optional bool
}

// isPlain reports whether the arguments are the parameters, whatever these are.
func (m *Method) isPlain() bool {
	n := len(m.Params)
	return n == 0 || !m.Params[n-1].Variadic && !m.Params[n-1].Optional
}

// receiver is a name for it that is not one of a parameter.
func (m *Method) receiver() string {
	if slices.ContainsFunc(m.Params, func(p Param) bool { return p.Name == "c" }) {
		return "client"
	}
	return "c"
}

// Type is the declaration of a type.
type Type struct {
	Name string
	Doc  string
	Text string // behind the name, as in struct{ … } or = string
	// Interface are the methods of an interface, which has no Text.
	Interface []Method
	Values    []Value
}

// Value is a constant of a type.
type Value struct{ Name, Doc, Text string }
