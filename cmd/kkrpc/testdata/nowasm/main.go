// Command nowasm serves nothing.
package main

func main() {}
