package main

// API is what clients may call.
type API interface {
	Greet(name string) string
}

type service struct{}

func (service) Greet(name string) string { return "Hello, " + name + "!" }
