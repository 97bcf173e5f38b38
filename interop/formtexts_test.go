package interop

import "strings"

// formTexts are texts near what the rules of texts divide.
var formTexts = strings.Split(`abc
ABC
aBc
abc def
ab
a
z
abcxyz!
a1
1
-1
+1
1.5
1.
.5
-1.50
1e5
007
true
T
False
yes
0x1F
1F
xyz
#fff
#FFFF
#12345
#1234567
#12345678
#
+4917012345678
017012345678
+12345678
+1234567
+1234567890123456
MFRGG===
MFRGGZDF
MFRGG
YWJj
YWI=
YQ==
YQ=
YWJ-
YW-_
YW
Y
00000000-0000-0000-0000-000000000000
123e4567-e89b-42d3-a456-426614174000
123E4567-E89B-42D3-A456-426614174000
123e4567-e89b-32d3-a456-426614174000
123e4567-e89b-52d3-c456-426614174000
123e4567-e89b-52d3-8456-426614174000
123e4567e89b42d3a456426614174000
01ARZ3NDEKTSV4RRFFQ69G5FAV
01arz3ndektsv4rrffq69g5fav
01ARZ3NDEKTSV4RRFFQ69G5FAI
d41d8cd98f00b204e9800998ecf8427e
D41D8CD98F00B204E9800998ECF8427E
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
90
90.0
90.1
-89.99
91
180
-180.000
181
179.9
099
localhost
example.com
example.com.
-example.com
1example.com
ex_ample.com
a.b-c.d
1.2.3
1.2.3-alpha.1+build.5
v1.2.3
01.2.3
1.2
a.b.c
a.b.
a..c
eyJh.eyJz.
DEUTDEFF
DEUTDEFF500
deutdeff
507f1f77bcf86cd799439011
507F1F77BCF86CD799439011
ann@example.com
Ann@Example.COM
ann+tag@example.co.uk
ann@localhost
ann@example
ann@example.com.
ann@.example.com
ann@example..com
ann..b@example.com
.ann@example.com
ann.@example.com
ann@exa mple.com
ann @example.com
 ann@example.com
ann@example.com 
Ann <ann@example.com>
<ann@example.com>
"ann b"@example.com
"ann\"b"@example.com
"ann"b"@example.com
""@example.com
"ann@b"@example.com
"\\"@example.com
"\ü"@example.com
"	"@example.com
ann@b@example.com
@example.com
ann@
ann
ann@[127.0.0.1]
ann@1.2.3.4
ann@a.-b.c
ann@a-.b
ann@-a.b
ann@a.b-
ann@a.b1
ann@a.1b
ann@a.~b
ann@a~b.c
ann@ü.de
ü@ü.ü
😀@example.com
ann@😀.com
a!#$%&'*+-/=?^_{|}~b@c.de
a(b)@c.de
a,b@c.de
a:b@c.de
a;b@c.de
a[b]@c.de
a\b@c.de
http://example.com
HTTP://EXAMPLE.COM/
https://example.com
https://example.com:8080/a/b?c=d#e
https://user:pass@example.com/
https://user@
https://@/
https://@example.com
https://us er@example.com
https://us%20er@example.com
https://us%2@example.com
https://u@s@example.com
http://
http:///path
http://#a
http://?a
http://#
http:
http:a
http:/a
http:a%zz
http://a%zz
http://a/%zz
http://a/%20
http://a/b c
http://a b/
http://a?%zz
http://a#%zz
http://a#b#c
http://a#b%20c
http://%41/
http://%ff/
http://%FF%25/
http://[::1]/
http://[::1]:80/
http://[::1]:x/
http://[::1/
http://::1/
http://[::1%25eth0]/
http://[::1%eth0]/
http://[fe80::1%25]/
http://[1.2.3.4]/
http://[::ffff:1.2.3.4]/
http://a[::1]/
http://a]b/
http://a:b
http://a:
http://a:80:80
ftp://a:80:80
ftp://a:x
ftp://a:80:
ftp://a\b
http://a|b
http://a<b>"c
http://ü.de/ü
http://a?
http://a??
http://a?b?c
//example.com
//exa mple
///a
/a/b
/a%zz
/a?b#c
a/b
a:b/c
a b:c
1a:b
a+b-c.d:e
:a
:
*
?
?a
#
#a
mailto:ann@example.com
urn:isbn:1
file:///a
file:///
file:/
file:/a
file://
file://host
file:a
javascript:alert(1)
data:,
127.0.0.1
127.0.0.01
127.0.0.256
127.0.0
1.2.3.4.5
0.0.0.0
::
::1
1::
1::8
1:2:3:4:5:6:7:8
1:2:3:4:5:6:7::
::2:3:4:5:6:7:8
1:2:3:4:5:6:7:8:9
1:2:3:4::5:6:7:8
1:2:3:4:5:6:7
12345::
g::1
:::
1:::2
::1::
:1
1:
::ffff:1.2.3.4
::FFFF:1.2.3.4
::fffe:1.2.3.4
::ffff:102:304
0:0:0:0:0:ffff:1.2.3.4
1.2.3.4::
::1.2.3.4
::1.2.3.04
::1.2.3
64:ff9b::1.2.3.4
fe80::1%eth0
::1 
aB
ab1
AB1
ß
SS
ẞ
ŉ
ǅ
ᾳ
ᾼ
ᾲ
ὐ
ΐ
ǰ
ﬗ
ΑΣ
ας
İ
ı
K
ﬁ
STRASSE.K
straße.k
STRAßE.K
red
RED
light blue
Light Blue
5
none
a b
#,@
,
@
ü
😀
😀😀
😀😀😀
😀😀😀😀😀😀
e\u0301
日本語
٣
Ⅷ
2024-02-29
2023-02-29
2024-2-9
2024-13-01
2024-00-01
2024-01-00
2024-01-32
2024-04-31
0000-02-29
20240-01-01
2024-01-01 
29.02.2024 15:04
29.02.2024 9:04
29.02.2024   15:04
29.02.202415:04
29.02.2024 24:04
30.02.2024 15:04
2024-02-29T15:04:05Z
2024-02-29T15:04:05.123456789Z
2024-02-29T15:04:05,5Z
2024-02-29T15:04:05.Z
2024-02-29T15:04:05+01:00
2024-02-29T15:04:05+24:60
2024-02-29T15:04:05+25:00
2024-02-29T15:04:05+01:61
2024-02-29T15:04:05z
2024-02-29T15:04:60Z
2024-02-29t15:04:05Z
15:04:05
5:04:05
15:4:05
15:04:05.5
23:59:59
24:00:00
01/2024
13/2024
1/2024
|
\
&lt;
`+"`", "\n")

// texts are formTexts, more with other control characters, and random changes of them.
func (g *formGenerator) texts(changed int) []string {
	list := append([]string{"", " ", "\n", "a\n", "\x7f", "\x00", "http://a\x7f", "http://a#\x7f", "\"\x01\"@a.de", "\u2028", "abc\u2028", "\ufffd", "\ue000@a.de", "a\u0080@b.de",
		strings.Repeat("a", 63), strings.Repeat("a", 64) + ".de", "http://" + strings.Repeat("a", 70)}, formTexts...)
	const letters = `aZ0.:/@%-#?[]"\ ü😀+=`
	known := len(list)
	for range changed {
		text := []rune(list[g.IntN(known)])
		for range 1 + g.IntN(2) {
			at, c := g.IntN(len(text)+1), []rune(letters)[g.IntN(len([]rune(letters)))]
			switch {
			case at < len(text) && g.IntN(3) == 0:
				text = append(text[:at:at], text[at+1:]...)
			case at < len(text) && g.IntN(2) == 0:
				text = append(append(text[:at:at], c), text[at+1:]...)
			default:
				text = append(append(text[:at:at], c), text[at:]...)
			}
		}
		list = append(list, string(text))
	}
	return list
}
