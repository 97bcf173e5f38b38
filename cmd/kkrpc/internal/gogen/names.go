package gogen

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// initialisms are words that Go writes in capitals.
var initialisms = strings.Fields("API ASCII CPU CSS DNS EOF GUID HTML HTTP HTTPS ID IP JSON LHS QPS RAM RHS RPC SLA SMTP SQL SSH TCP TLS TTL UDP UI UID UUID URI URL UTF8 VM XML")

// exported is an exported Go name for one of JavaScript: getUrl is GetURL, in-progress InProgress. It is empty if nothing is
// left.
func exported(name string) string {
	text := pascal(name)
	if text == "" || unicode.IsUpper([]rune(text)[0]) {
		return text
	}
	return "X" + text // a digit, or a letter that has no capital
}

// pascal is what stands in a Go name for one of JavaScript.
func pascal(name string) string {
	var b strings.Builder
	for _, word := range words(name) {
		if upper := strings.ToUpper(word); slices.Contains(initialisms, upper) {
			b.WriteString(upper)
			continue
		}
		for i, r := range word {
			if i == 0 {
				r = unicode.ToUpper(r)
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

// valueName is what stands in the name of a constant. It is as pascal, but 1.5 is 1_5, since 15 may be another constant.
func valueName(name string) string {
	if name == "" {
		return "Empty"
	}
	var b strings.Builder
	for i, part := range strings.Split(name, ".") {
		text := pascal(part)
		if i > 0 && endsInDigit(b.String()) && text != "" && unicode.IsDigit(rune(text[0])) {
			b.WriteByte('_')
		}
		b.WriteString(text)
	}
	return cmp.Or(b.String(), "Value")
}

func endsInDigit(text string) bool {
	return text != "" && unicode.IsDigit(rune(text[len(text)-1]))
}

// words splits a name before capitals, and at all that a Go name cannot have.
func words(name string) []string {
	var list []string
	runes := []rune(name)
	start := 0
	cut := func(end int) {
		if end > start {
			list = append(list, string(runes[start:end]))
		}
	}
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			cut(i)
			start = i + 1
		case i > start && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			cut(i)
			start = i
		}
	}
	cut(len(runes))
	return list
}

// names are those that one scope declares.
type names map[string]bool

// claim returns the name, with a number behind it if it is taken.
func (n names) claim(name string) string {
	unique := name
	for i := 2; n[unique]; i++ {
		unique = name + strconv.Itoa(i)
	}
	n[unique] = true
	return unique
}
