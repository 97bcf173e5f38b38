package bind

import "testing"

func TestExportedName(t *testing.T) {
	for name, want := range map[string]string{
		"Greet": "greet", "GetURL": "getURL", "ID": "id", "IDs": "ids", "OAuth": "oauth", "HTTPServer": "httpServer",
		"A": "a", "As": "as", "AName": "aName", "UserID": "userID", "URLs": "urls", "URLsOf": "urlsOf", "XRay": "xRay",
		"HTTP2Push": "http2Push", "UTF8": "utf8", "OAuth2Token": "oauth2Token", "OAuthToken": "oauthToken", "OAuths": "oAuths",
		"IPv4": "ipv4", "IPv6Address": "ipv6Address", "USStates": "usStates", "X_Y": "x_Y", "Ünder": "ünder", "ÄÖText": "äöText",
		"IsOK": "isOK", "GetUserByID": "getUserByID", "JSONAPI": "jsonapi", "Do": "do", "already": "already",
	} {
		if got := ExportedName(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}
