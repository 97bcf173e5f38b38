// Package stdio carries kkrpc between a parent process and its child, over the child's standard input and output.
package stdio
