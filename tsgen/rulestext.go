package tsgen

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// patterns are the rules of package validator that are regular expressions, as JavaScript writes them.
var patterns = map[string]string{
	"alpha":            `/^[a-zA-Z]+$/`,
	"alphaspace":       `/^[a-zA-Z ]+$/`,
	"alphanum":         `/^[a-zA-Z0-9]+$/`,
	"alphanumspace":    `/^[a-zA-Z0-9 ]+$/`,
	"alphaunicode":     `/^\p{L}+$/u`,
	"alphanumunicode":  `/^[\p{L}\p{N}]+$/u`,
	"numeric":          `/^[-+]?[0-9]+(?:\.[0-9]+)?$/`,
	"number":           `/^[0-9]+$/`,
	"boolean":          `/^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/`,
	"hexadecimal":      `/^(?:0[xX])?[0-9a-fA-F]+$/`,
	"hexcolor":         `/^#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})$/`,
	"e164":             `/^\+?[1-9][0-9]{7,14}$/`,
	"base32":           `/^(?:[A-Z2-7]{8})*(?:[A-Z2-7]{2}={6}|[A-Z2-7]{4}={4}|[A-Z2-7]{5}={3}|[A-Z2-7]{7}=|[A-Z2-7]{8})$/`,
	"base64":           `/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/`,
	"base64url":        `/^(?:[A-Za-z0-9\-_]{4})*(?:[A-Za-z0-9\-_]{2}==|[A-Za-z0-9\-_]{3}=|[A-Za-z0-9\-_]{4})$/`,
	"base64rawurl":     `/^(?:[A-Za-z0-9\-_]{4})*[A-Za-z0-9\-_]{2,4}$/`,
	"uuid":             `/^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/`,
	"uuid3":            `/^[0-9a-f]{8}-[0-9a-f]{4}-3[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/`,
	"uuid4":            `/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/`,
	"uuid5":            `/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/`,
	"uuid_rfc4122":     `/^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/`,
	"uuid4_rfc4122":    `/^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$/`,
	"ulid":             `/^[A-HJKMNP-TV-Za-hjkmnp-tv-z0-9\u017F\u212A]{26}$/`,
	"md5":              `/^[0-9a-f]{32}$/`,
	"sha256":           `/^[0-9a-f]{64}$/`,
	"sha384":           `/^[0-9a-f]{96}$/`,
	"sha512":           `/^[0-9a-f]{128}$/`,
	"ascii":            `/^[\0-\x7F]*$/`,
	"printascii":       `/^[\x20-\x7E]*$/`,
	"latitude":         `/^[-+]?(?:[1-8]?[0-9](?:\.[0-9]+)?|90(?:\.0+)?)$/`,
	"longitude":        `/^[-+]?(?:180(?:\.0+)?|(?:1[0-7][0-9]|[1-9]?[0-9])(?:\.[0-9]+)?)$/`,
	"hostname":         `/^[a-zA-Z](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/`,
	"hostname_rfc1123": `/^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/`,
	"semver": `/^(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)` +
		`(?:-(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*)?` +
		`(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/`,
	"jwt":     `/^[A-Za-z0-9\-_]+\.[A-Za-z0-9\-_]+\.[A-Za-z0-9\-_]*$/`,
	"bic":     `/^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?$/`,
	"mongodb": `/^[a-f0-9]{24}$/`,
}

// anyNumber are the rules that hold for each number.
var anyNumber = map[string]bool{"numeric": true, "number": true}

// helpers of TypeScript that are rules of package validator.
var ruleHelpers = map[string]string{
	"email": "isEmail", "url": "isURL", "http_url": "isHttpURL", "https_url": "isHttpsURL", "uri": "isURI",
	"ip": "isIP", "ipv4": "isIPv4", "ipv6": "isIPv6", "lowercase": "isLowercase", "uppercase": "isUppercase",
}

// textRules are those for text, which has no other form in Go.
var textRules = map[string]ruleFunc{
	"contains":   withParam("VALUE.includes(%s)"),
	"excludes":   withParam("!VALUE.includes(%s)"),
	"startswith": withParam("VALUE.startsWith(%s)"), "startsnotwith": withParam("!VALUE.startsWith(%s)"),
	"endswith": withParam("VALUE.endsWith(%s)"), "endsnotwith": withParam("!VALUE.endsWith(%s)"),
	"containsany":    anyRune("%s.some((c) => VALUE.includes(c))"),
	"excludesall":    anyRune("!%s.some((c) => VALUE.includes(c))"),
	"containsrune":   firstRune("VALUE.includes(%s)"),
	"excludesrune":   firstRune("!VALUE.includes(%s)"),
	"eq_ignore_case": folded("%s.test(VALUE)", asOne), "ne_ignore_case": folded("!%s.test(VALUE)", asOne),
	"oneofci": folded("%s.test(VALUE)", words), "noneofci": folded("!%s.test(VALUE)", words),
	"datetime": datetime,
}

func init() {
	for name, pattern := range patterns {
		textRules[name] = func(_ *checks, r *rule, s subject) (condition, error) {
			switch {
			case s.kind == numberValue && anyNumber[name], s.kind == boolValue && name == "boolean":
				return always, nil
			case s.kind != textValue:
				return unfit(s)
			}
			return compare("%s.test(VALUE)", pattern), nil
		}
	}
	for name, helper := range ruleHelpers {
		textRules[name] = onText(func(w *checks, _ *rule) (condition, error) {
			return compare("%s(VALUE)", w.helper(helper)), nil
		})
	}
}

func onText(make func(w *checks, r *rule) (condition, error)) ruleFunc {
	return func(w *checks, r *rule, s subject) (condition, error) {
		if s.kind != textValue {
			return unfit(s)
		}
		return make(w, r)
	}
}

func withParam(format string) ruleFunc {
	return onText(func(_ *checks, r *rule) (condition, error) { return compare(format, quoted(r.param)), nil })
}

func anyRune(format string) ruleFunc {
	return onText(func(_ *checks, r *rule) (condition, error) {
		var list []string
		for _, c := range r.param {
			list = append(list, quoted(string(c)))
		}
		return compare(format, "["+strings.Join(list, ", ")+"]"), nil
	})
}

func firstRune(format string) ruleFunc {
	return onText(func(_ *checks, r *rule) (condition, error) {
		c, _ := utf8.DecodeRuneInString(r.param)
		return compare(format, quoted(string(c))), nil
	})
}

func asOne(param string) []string { return []string{param} }

// folded compares without regard to case, as strings.EqualFold does.
func folded(format string, split func(string) []string) ruleFunc {
	return onText(func(_ *checks, r *rule) (condition, error) {
		var list []string
		for _, word := range split(r.param) {
			list = append(list, literalPattern(word))
		}
		if len(list) == 0 {
			list = append(list, "[]") // matches nothing
		}
		return compare(format, "/^(?:"+strings.Join(list, "|")+")$/iu"), nil
	})
}

// literalPattern is a pattern for JavaScript that matches text.
func literalPattern(text string) string {
	var b strings.Builder
	for _, c := range text {
		switch {
		case strings.ContainsRune(`^$\.*+?()[]{}|/`, c):
			b.WriteString(`\` + string(c))
		case c < ' ' || c == '\u2028' || c == '\u2029':
			fmt.Fprintf(&b, `\u{%x}`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// layoutParts are the parts of layouts of package time that datetime knows, with what they match.
var layoutParts = []struct{ part, pattern string }{
	{"2006", `(?<year>\d{4})`},
	{"Z07:00", `(?:Z|[+-](?:[01]\d|2[0-4]):(?:[0-5]\d|60))`},
	{"01", `(?<month>0[1-9]|1[0-2])`},
	{"02", `(?<day>0[1-9]|[12]\d|3[01])`},
	{"15", `(?:[01]\d|2[0-3]|\d(?!\d))`},
	{"04", `[0-5]\d`},
	{"05", `[0-5]\d(?:[.,]\d+)?`},
	{"-", "-"}, {"/", `\/`}, {":", ":"}, {"T", "T"}, {".", `\.`}, {" ", " +"},
}

func datetime(w *checks, r *rule, s subject) (condition, error) {
	if s.kind != textValue {
		return unfit(s)
	}
	var pattern strings.Builder
	for rest := r.param; rest != ""; {
		found := false
		for _, p := range layoutParts {
			if after, ok := strings.CutPrefix(rest, p.part); ok {
				pattern.WriteString(p.pattern)
				rest, found = after, true
				break
			}
		}
		if !found {
			return nil, fmt.Errorf("%q in the layout is not known here", rest)
		}
	}
	text := pattern.String()
	for _, part := range []string{"year", "month", "day"} {
		if strings.Count(text, "?<"+part+">") > 1 {
			return nil, fmt.Errorf("the layout has its %s twice", part)
		}
	}
	if strings.HasSuffix(text, " +") {
		return nil, errors.New("the layout ends in a space")
	}
	if !strings.Contains(text, "?<day>") {
		return compare("/^%s$/.test(VALUE)", strings.NewReplacer("?<year>", "?:", "?<month>", "?:").Replace(text)), nil
	}
	return compare("%s(VALUE, /^%s$/)", w.helper("isDay"), text), nil
}
