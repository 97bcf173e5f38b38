package tsgen

import (
	"regexp"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc/schema"
)

// chain is a tag validate of package validator: the rules of a value in their order, and those of its elements behind a
// dive. Nil is no tag.
type chain struct {
	rules []rule
	dive  bool
	keys  *chain // of the keys of a map; nil for none
	elem  *chain // of the elements
}

// rule is one part of a tag, such as max=80.
type rule struct {
	name, param  string
	hasParam     bool
	alternatives []rule // those of a|b, which has no name
}

// text is the rule as kkvalidator shows it in messages.
func (r *rule) text() string {
	var list []string
	for i := range r.alternatives {
		list = append(list, r.alternatives[i].text())
	}
	if r.name == "" {
		return strings.Join(list, "|")
	}
	if r.param == "" {
		return r.name
	}
	return r.name + "=" + r.param
}

// parseTag splits a tag as package validator does. Tags that it does not take, such as keys without endkeys, panic there;
// here the rules that do not fit are unknown to the table of rules.
func parseTag(tag string) *chain {
	if tag == "" {
		return nil
	}
	return parseRules(strings.Split(tag, ","))
}

func parseRules(tags []string) *chain {
	c := new(chain)
	for i, t := range tags {
		if t == "dive" {
			c.dive = true
			rest := tags[i+1:]
			if end := slices.Index(rest, "endkeys"); len(rest) > 0 && rest[0] == "keys" && end > 0 {
				c.keys = parseRules(rest[1:end])
				rest = rest[end+1:]
			}
			c.elem = parseRules(rest)
			break
		}
		c.rules = append(c.rules, parseRule(t))
	}
	return c
}

func parseRule(text string) rule {
	var alternatives []rule
	for part := range strings.SplitSeq(text, "|") {
		name, param, hasParam := strings.Cut(part, "=")
		param = strings.NewReplacer("0x2C", ",", "0x7C", "|").Replace(param)
		alternatives = append(alternatives, rule{name: name, param: param, hasParam: hasParam})
	}
	if len(alternatives) == 1 {
		return alternatives[0]
	}
	return rule{alternatives: alternatives}
}

// hasRule reports whether a tag says anything about values.
func hasRule(tag string) bool { return tag != "" && tag != schema.NoRule }

var paramWord = regexp.MustCompile(`'[^']*'|\S+`)

// words are the values in a parameter, as in oneof='two words' three.
func words(param string) []string {
	list := paramWord.FindAllString(param, -1)
	for i := range list {
		list[i] = strings.ReplaceAll(list[i], "'", "")
	}
	return list
}
