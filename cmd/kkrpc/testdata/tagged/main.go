// Command tagged serves when it is built with the tag served.
package main

func main() {}
