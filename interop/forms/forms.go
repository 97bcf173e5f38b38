// Package forms exposes structs with rules, for the test that what is generated of them agrees with the validator.
package forms

import (
	"context"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/adapter/kkvalidator"
)

// Texts has each rule of texts, for those that are not empty.
type Texts struct {
	T0  string `json:"t0,omitempty" validate:"omitempty,alpha"`
	T1  string `json:"t1,omitempty" validate:"omitempty,alphaspace"`
	T2  string `json:"t2,omitempty" validate:"omitempty,alphanum"`
	T3  string `json:"t3,omitempty" validate:"omitempty,alphanumspace"`
	T4  string `json:"t4,omitempty" validate:"omitempty,alphaunicode"`
	T5  string `json:"t5,omitempty" validate:"omitempty,alphanumunicode"`
	T6  string `json:"t6,omitempty" validate:"omitempty,numeric"`
	T7  string `json:"t7,omitempty" validate:"omitempty,number"`
	T8  string `json:"t8,omitempty" validate:"omitempty,boolean"`
	T9  string `json:"t9,omitempty" validate:"omitempty,hexadecimal"`
	T10 string `json:"t10,omitempty" validate:"omitempty,hexcolor"`
	T11 string `json:"t11,omitempty" validate:"omitempty,e164"`
	T12 string `json:"t12,omitempty" validate:"omitempty,base32"`
	T13 string `json:"t13,omitempty" validate:"omitempty,base64"`
	T14 string `json:"t14,omitempty" validate:"omitempty,base64url"`
	T15 string `json:"t15,omitempty" validate:"omitempty,base64rawurl"`
	T16 string `json:"t16,omitempty" validate:"omitempty,uuid"`
	T17 string `json:"t17,omitempty" validate:"omitempty,uuid3"`
	T18 string `json:"t18,omitempty" validate:"omitempty,uuid4"`
	T19 string `json:"t19,omitempty" validate:"omitempty,uuid5"`
	T20 string `json:"t20,omitempty" validate:"omitempty,uuid_rfc4122"`
	T21 string `json:"t21,omitempty" validate:"omitempty,uuid4_rfc4122"`
	T22 string `json:"t22,omitempty" validate:"omitempty,ulid"`
	T23 string `json:"t23,omitempty" validate:"omitempty,md5"`
	T24 string `json:"t24,omitempty" validate:"omitempty,sha256"`
	T25 string `json:"t25,omitempty" validate:"omitempty,sha384"`
	T26 string `json:"t26,omitempty" validate:"omitempty,sha512"`
	T27 string `json:"t27,omitempty" validate:"omitempty,ascii"`
	T28 string `json:"t28,omitempty" validate:"omitempty,printascii"`
	T29 string `json:"t29,omitempty" validate:"omitempty,latitude"`
	T30 string `json:"t30,omitempty" validate:"omitempty,longitude"`
	T31 string `json:"t31,omitempty" validate:"omitempty,hostname"`
	T32 string `json:"t32,omitempty" validate:"omitempty,hostname_rfc1123"`
	T33 string `json:"t33,omitempty" validate:"omitempty,semver"`
	T34 string `json:"t34,omitempty" validate:"omitempty,jwt"`
	T35 string `json:"t35,omitempty" validate:"omitempty,bic"`
	T36 string `json:"t36,omitempty" validate:"omitempty,mongodb"`
	T37 string `json:"t37,omitempty" validate:"omitempty,email"`
	T38 string `json:"t38,omitempty" validate:"omitempty,url"`
	T39 string `json:"t39,omitempty" validate:"omitempty,http_url"`
	T40 string `json:"t40,omitempty" validate:"omitempty,https_url"`
	T41 string `json:"t41,omitempty" validate:"omitempty,uri"`
	T42 string `json:"t42,omitempty" validate:"omitempty,ip"`
	T43 string `json:"t43,omitempty" validate:"omitempty,ipv4"`
	T44 string `json:"t44,omitempty" validate:"omitempty,ipv6"`
	T45 string `json:"t45,omitempty" validate:"omitempty,lowercase"`
	T46 string `json:"t46,omitempty" validate:"omitempty,uppercase"`
	T47 string `json:"t47,omitempty" validate:"omitempty,contains=a"`
	T48 string `json:"t48,omitempty" validate:"omitempty,excludes=ab"`
	T49 string `json:"t49,omitempty" validate:"omitempty,startswith=http"`
	T50 string `json:"t50,omitempty" validate:"omitempty,startsnotwith=a"`
	T51 string `json:"t51,omitempty" validate:"omitempty,endswith=z"`
	T52 string `json:"t52,omitempty" validate:"omitempty,endsnotwith=.com"`
	T53 string `json:"t53,omitempty" validate:"omitempty,containsany=xyz!"`
	T54 string `json:"t54,omitempty" validate:"omitempty,excludesall=#0x2C@"`
	T55 string `json:"t55,omitempty" validate:"omitempty,containsrune=ü"`
	T56 string `json:"t56,omitempty" validate:"omitempty,excludesrune=😀"`
	T57 string `json:"t57,omitempty" validate:"omitempty,eq_ignore_case=Straße.K"`
	T58 string `json:"t58,omitempty" validate:"omitempty,ne_ignore_case=abc"`
	T59 string `json:"t59,omitempty" validate:"omitempty,oneofci=Red 'light blue'"`
	T60 string `json:"t60,omitempty" validate:"omitempty,noneofci=a b"`
	T61 string `json:"t61,omitempty" validate:"omitempty,datetime=2006-01-02"`
	T62 string `json:"t62,omitempty" validate:"omitempty,datetime=02.01.2006 15:04"`
	T63 string `json:"t63,omitempty" validate:"omitempty,datetime=2006-01-02T15:04:05Z07:00"`
	T64 string `json:"t64,omitempty" validate:"omitempty,datetime=15:04:05"`
	T65 string `json:"t65,omitempty" validate:"omitempty,datetime=01/2006"`
	T66 string `json:"t66,omitempty" validate:"omitempty,min=2"`
	T67 string `json:"t67,omitempty" validate:"omitempty,max=5"`
	T68 string `json:"t68,omitempty" validate:"omitempty,len=3"`
	T69 string `json:"t69,omitempty" validate:"omitempty,gt=2"`
	T70 string `json:"t70,omitempty" validate:"omitempty,gte=3"`
	T71 string `json:"t71,omitempty" validate:"omitempty,lt=4"`
	T72 string `json:"t72,omitempty" validate:"omitempty,lte=6"`
	T73 string `json:"t73,omitempty" validate:"omitempty,eq=abc"`
	T74 string `json:"t74,omitempty" validate:"omitempty,ne=abc"`
	T75 string `json:"t75,omitempty" validate:"omitempty,eq=0x7C"`
	T76 string `json:"t76,omitempty" validate:"omitempty,oneof=red 'light blue' 5"`
	T77 string `json:"t77,omitempty" validate:"omitempty,noneof=a b"`
	T78 string `json:"t78,omitempty" validate:"omitempty,hexcolor|alpha"`
	T79 string `json:"t79,omitempty" validate:"omitempty,uuid4|eq=none|len=3"`
	T80 string `json:"t80,omitempty" validate:"omitempty,isdefault"`
}

// Empty has rules of texts that are checked when they are empty too.
type Empty struct {
	E0  string `json:"e0" validate:"alpha"`
	E1  string `json:"e1" validate:"numeric"`
	E2  string `json:"e2" validate:"boolean"`
	E3  string `json:"e3" validate:"base64"`
	E4  string `json:"e4" validate:"ascii"`
	E5  string `json:"e5" validate:"printascii"`
	E6  string `json:"e6" validate:"email"`
	E7  string `json:"e7" validate:"url"`
	E8  string `json:"e8" validate:"uri"`
	E9  string `json:"e9" validate:"ip"`
	E10 string `json:"e10" validate:"lowercase"`
	E11 string `json:"e11" validate:"uppercase"`
	E12 string `json:"e12" validate:"contains=a"`
	E13 string `json:"e13" validate:"excludes=ab"`
	E14 string `json:"e14" validate:"startsnotwith=a"`
	E15 string `json:"e15" validate:"excludesall=#0x2C@"`
	E16 string `json:"e16" validate:"ne_ignore_case=abc"`
	E17 string `json:"e17" validate:"datetime=2006-01-02"`
	E18 string `json:"e18" validate:"max=5"`
	E19 string `json:"e19" validate:"len=3"`
	E20 string `json:"e20" validate:"lt=4"`
	E21 string `json:"e21" validate:"eq=abc"`
	E22 string `json:"e22" validate:"ne=abc"`
	E23 string `json:"e23" validate:"noneof=a b"`
	E24 string `json:"e24" validate:"hexcolor|alpha"`
	E25 string `json:"e25" validate:"isdefault"`
	E26 string `json:"e26" validate:"oneof='' a"`
}

// Level is a number with a name.
type Level int8

// Numbers has rules of numbers of several types.
type Numbers struct {
	Int      int      `json:"int" validate:"required,gte=-3,lt=10"`
	Small    int8     `json:"small" validate:"omitempty,oneof=1 -2 +3 04"`
	Unsigned uint8    `json:"unsigned" validate:"max=200,ne=7"`
	Wide     int64    `json:"wide" validate:"eq=0|gt=0x10"`
	Float    float64  `json:"float" validate:"min=-0.5,max=1e3"`
	Single   float32  `json:"single" validate:"lte=0.1"`
	Level    Level    `json:"level" validate:"len=3|lt=0"`
	Quoted   int32    `json:"quoted,string" validate:"gt=5"`
	Fraction *float64 `json:"fraction,string" validate:"omitempty,numeric,gte=1"`
	Yes      bool     `json:"yes" validate:"required"`
	No       bool     `json:"no" validate:"eq=false,boolean"`
	Pointer  *int     `json:"pointer" validate:"required,lte=5"`
	Maybe    *uint16  `json:"maybe" validate:"omitempty,gt=3"`
	Nil      **bool   `json:"nil" validate:"omitnil,eq=true"`
	Zero     *int     `json:"zero" validate:"omitzero,gt=3"`
	Bare     *string  `json:"bare" validate:"max=3"`
	Default  *string  `json:"default" validate:"isdefault"`
}

// Item is part of others.
type Item struct {
	Key  string `json:"key" validate:"required,alpha"`
	Note string `json:"note" validate:"max=3"`
}

// Lists has rules of lists and maps.
type Lists struct {
	Tags     []string            `json:"tags" validate:"required,max=3,unique,dive,required,max=4"`
	Optional []string            `json:"optional,omitempty" validate:"omitempty,min=2"`
	Zero     []int               `json:"zero" validate:"omitzero,min=2,dive,gt=1"`
	Nil      []int               `json:"nil" validate:"omitnil,min=2"`
	Exact    []int               `json:"exact" validate:"len=0|len=2"`
	Items    []Item              `json:"items" validate:"max=2,unique=Key,dive"`
	Pointers []*Item             `json:"pointers" validate:"dive,required"`
	Loose    []Item              `json:"loose"`
	Nested   [][]*Item           `json:"nested" validate:"dive,max=2,dive"`
	Words    [][]string          `json:"words" validate:"dive,dive,lowercase"`
	Pair     [2]string           `json:"pair" validate:"required,dive,max=3"`
	Bytes    []byte              `json:"bytes" validate:"max=3"`
	Must     []byte              `json:"must" validate:"required,min=1"`
	Map      map[string]Item     `json:"map" validate:"min=1,dive"`
	Keys     map[string]int      `json:"keys" validate:"dive,keys,alpha,endkeys,gt=2"`
	Numbered map[int8]*Item      `json:"numbered" validate:"max=2,dive,keys,gt=1,endkeys"`
	Values   map[string]*string  `json:"values" validate:"unique,dive,omitempty,email"`
	Deep     map[string][]string `json:"deep" validate:"dive,min=1,dive,min=2"`
	Flags    *[]bool             `json:"flags" validate:"omitempty,unique,dive,required"`
}

// Base is embedded.
type Base struct {
	ID    string `json:"id" validate:"required"`
	Again string `json:"again" validate:"eqfield=ID"`
}

// Tree contains itself.
type Tree struct {
	Base
	Label    string `json:"label" validate:"required,max=4"`
	Left     *Tree  `json:"left,omitempty"`
	Children []Tree `json:"children" validate:"max=2,dive"`
	Item     Item   `json:"item"`
	Set      Item   `json:"set,omitzero" validate:"omitempty"`
	Must     Item   `json:"must" validate:"required"`
	Skipped  Item   `json:"skipped" validate:"-"`
	Only     Item   `json:"only" validate:"required,structonly"`
	Pointer  *Item  `json:"pointer" validate:"required"`
	Inline   struct {
		A int    `json:"a" validate:"gte=1"`
		B string `json:"b"`
	} `json:"inline"`
	Named map[string]*Tree `json:"named" validate:"dive"`
}

// Status is an enumeration.
type Status string

// The values of Status.
const (
	Open   Status = "open"
	Closed Status = "closed"
)

// UserID is a brand.
//
//kkrpc:brand
type UserID string

// Fields has rules about other fields.
type Fields struct {
	Password string     `json:"password" validate:"required,min=2"`
	Confirm  string     `json:"confirm" validate:"eqfield=Password"`
	Other    *string    `json:"other" validate:"omitempty,nefield=Password"`
	Low      int        `json:"low"`
	High     int        `json:"high" validate:"gtfield=Low"`
	Most     float64    `json:"most" validate:"omitempty,ltefield=Least"`
	Least    float64    `json:"least"`
	From     time.Time  `json:"from" validate:"required"`
	Until    time.Time  `json:"until" validate:"omitempty,gtfield=From"`
	Born     *time.Time `json:"born" validate:"omitempty,lt"`
	Status   Status     `json:"status" validate:"required,oneof=open closed"`
	User     UserID     `json:"user" validate:"omitempty,min=2"`
	If       string     `json:"if" validate:"required_if=Status open Low 1"`
	Unless   *string    `json:"unless" validate:"required_unless=Status open,omitempty,max=3"`
	With     string     `json:"with" validate:"required_with=Other Low"`
	WithAll  []string   `json:"withAll" validate:"required_with_all=Other Low"`
	Without  *int       `json:"without" validate:"required_without=If User"`
	None     bool       `json:"none" validate:"required_without_all=If User Born"`
	Excluded string     `json:"excluded" validate:"excluded_if=Status closed,excluded_with=Least"`
	Count    []string   `json:"count,omitempty" validate:"eqfield=WithAll"`
	Nothing  string     `json:"nothing" validate:"excluded_unless=Other nil"`
}

// Plain has no rule, and is part of one that has.
type Plain struct {
	A int     `json:"a"`
	B *string `json:"b"`
}

// Mixed has values of other kinds.
type Mixed struct {
	Any    any               `json:"any"`
	Plain  Plain             `json:"plain" validate:"required"`
	Plains map[Status]Plain  `json:"plains" validate:"max=1"`
	Brands map[UserID]Status `json:"brands" validate:"max=1"`
	Dates  []time.Time       `json:"dates" validate:"dive,required"`
}

// Serve answers calls with values of the structs over t, behind the validator.
func Serve(ctx context.Context, t kkrpc.Transport) (*kkrpc.Channel, error) {
	return kkrpc.New(ctx, t, &kkrpc.Options{
		Expose: kkrpc.Object{
			"Texts":   func(Texts) {},
			"Empty":   func(Empty) {},
			"Numbers": func(Numbers) {},
			"Lists":   func(Lists) {},
			"Tree":    func(Tree) {},
			"Fields":  func(Fields) {},
			"Mixed":   func(Mixed) {},
		},
		Inbound: []kkrpc.Interceptor{kkvalidator.New(nil, nil)},
	})
}
