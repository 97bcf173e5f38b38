//go:build !errortext

package main

const errorText = false
