package stdio_test

var children = map[string]func(){}
