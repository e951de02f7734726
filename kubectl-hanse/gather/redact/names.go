package redact

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Names whose values are secrets: those that end so, without separators and in small letters, and short ones that have to be
// words of their own.
var (
	endings = []string{"password", "passwords", "passwd", "passphrase", "passcode", "secret", "token", "credential", "credentials", "apikey",
		"accesskey", "secretkey", "privatekey", "encryptionkey", "signingkey", "masterkey", "accountkey", "sharedkey", "storagekey", "authorization",
		"cookie", "connectionstring", "connstr", "databaseurl", "databaseuri", "dburl", "dockerconfigjson", "dockercfg", "pw", "pwd"}
	shortEndings = []string{"pass", "dsn", "auth"}
)

// sensitive is whether a name is one that is given to secrets. secretName and TOKEN_FILE are none.
func sensitive(name string) bool {
	name = strings.TrimRight(name, "_-.")
	plain := strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(name))
	if slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(plain, ending) }) {
		return true
	}
	return slices.ContainsFunc(shortEndings, func(ending string) bool {
		at := len(name) - len(ending)
		if at < 0 || !strings.EqualFold(name[at:], ending) {
			return false
		}
		if at == 0 || strings.ContainsAny(name[at-1:at], "_-.") {
			return true
		}
		// dbPass, or DBPASS
		return unicode.IsUpper(rune(name[at])) && (unicode.IsLower(rune(name[at-1])) || name == strings.ToUpper(name))
	})
}

// harmless is whether a value cannot be a secret.
func harmless(value string) bool {
	switch strings.ToLower(value) {
	case "", "true", "false", "null", "nil", "<nil>", "none", "~", "|", ">", "{}", "[]":
		return true
	}
	return strings.HasPrefix(value, Marker) || strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") || strings.HasPrefix(value, "map[")
}

var (
	// pair is a name, and what stands between it and its value.
	pair = regexp.MustCompile(`([A-Za-z0-9_.\-]+)\\*["']?[ \t]{0,3}(?:=>|:=|[:=])[ \t]{0,3}`)
	// flag has its value after a space.
	flag = regexp.MustCompile(`--?([A-Za-z][A-Za-z0-9_\-]*)[ \t]+`)
	// named is a variable in JSON, as it stands in Kubernetes's objects.
	named = regexp.MustCompile(`\\*"name\\*"[ \t]*:[ \t]*\\*"([A-Za-z0-9_.\-]+)\\*"[ \t]*,[ \t]*\\*"value\\*"[ \t]*:[ \t]*`)
	// yamlKey begins a line of YAML, or a header of HTTP.
	yamlKey = regexp.MustCompile(`^[ \t>*<]*(?:- )?["']?[A-Za-z0-9_.\-]+["']?[ \t]*:[ \t]`)
	quote   = regexp.MustCompile(`^\\*["']`)
)

// pairs finds the values whose names are those of secrets. A value that does not look like one goes too.
func pairs(text string) []span {
	var spans []span
	toEnd := yamlKey.MatchString(text)
	for i, shape := range []*regexp.Regexp{pair, flag, named} {
		for _, at := range shape.FindAllStringSubmatchIndex(text, -1) {
			name := text[at[2]:at[3]]
			if !sensitive(name) {
				continue
			}
			first := i == 0 && toEnd && strings.TrimLeft(text[:at[2]], " \t>*<-\"'") == ""
			header := strings.HasSuffix(strings.ToLower(name), "authorization") || strings.HasSuffix(strings.ToLower(name), "cookie")
			from, to := extent(text, at[1], first || header)
			if !harmless(text[from:to]) {
				spans = append(spans, span{from, to, "value"})
			}
		}
	}
	return spans
}

// extent is where the value that begins at a place begins and ends, without its quotes. toEnd is whether one without quotes
// may have spaces.
func extent(text string, at int, toEnd bool) (from, to int) {
	if opening := quote.FindString(text[at:]); opening != "" {
		from = at + len(opening)
		for to = from; to < len(text); to++ {
			if strings.HasPrefix(text[to:], opening) && (len(opening) > 1 || text[to-1] != '\\' || to == from) {
				return from, to
			}
		}
		return from, len(text)
	}
	if toEnd {
		return at, max(at, len(strings.TrimRight(text, " \t\r")))
	}
	if end := strings.IndexAny(text[at:], " \t\r\"'"); end >= 0 {
		return at, at + end
	}
	return at, len(text)
}
