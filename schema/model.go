// Package schema describes APIs: what a peer can call, read and write, and the types of all that crosses.
//
// [Of] describes a compiled API by reflection. It does not know what a running program has forgotten: the names of
// parameters, comments and groups of constants. The command kkrpc gen describes the same API from its source, with all
// of these.
//
// A description is data. It can be written as JSON, which [Parse] reads, and compared with an older one by [Breaking].
// [API.Hash] stands for it where a description would be too long.
package schema

// Version is that of the form of descriptions. It changes if a program for the older form would misread the newer one.
const Version = 1

// API describes what a peer can reach.
type API struct {
	// Version is the constant Version of the module that made the description.
	Version int `json:"version"`
	// Source reports that the description was made from source. It then has comments, names of parameters, constants and
	// errors.
	Source bool `json:"source,omitempty"`
	// Name is that of the Go interface or type, or API where it has none.
	Name string `json:"name"`
	Doc  string `json:"doc,omitempty"`
	// Members are in the order of registration.
	Members []Member `json:"members"`
	// Types are all types with a name, in the order of their names.
	Types []Named `json:"types,omitempty"`
	// Errors are those that functions declare, in the order of their names, as far as declarations are known.
	Errors []Exception `json:"errors,omitempty"`
}

// Member is one name of an API or of a namespace in it.
type Member struct {
	Name string     `json:"name"`
	Kind MemberKind `json:"kind"`
	Doc  string     `json:"doc,omitempty"`
	// Function is that of a Method or a Class. The result of a class is an instance, which crosses as data.
	Function *Function `json:"function,omitempty"`
	// Type is that of a Property, a ReadOnly or a Constant.
	Type *Type `json:"type,omitempty"`
	// Members are those of a Namespace.
	Members []Member `json:"members,omitempty"`
}

// MemberKind says what a name stands for.
type MemberKind string

// The kinds of members.
const (
	Method    MemberKind = "method"
	Class     MemberKind = "class"
	Property  MemberKind = "property"
	ReadOnly  MemberKind = "readonly" // a property that the peer cannot write
	Constant  MemberKind = "constant"
	Namespace MemberKind = "namespace"
)

// Function describes the parameters and the result of a method, a constructor, a callback or what a reference is one to.
type Function struct {
	Params []Param `json:"params,omitempty"`
	// Result is nil if there is none. A callback has none: what it returns does not come back.
	Result *Type `json:"result,omitempty"`
	// Errors are the names of those in API.Errors that the function declares.
	Errors []string `json:"errors,omitempty"`
}

// Param is a parameter.
type Param struct {
	Name string `json:"name,omitempty"` // empty if it is not known
	Type Type   `json:"type"`           // of one argument if Variadic
	// Optional reports that the peer may leave it out.
	Optional bool `json:"optional,omitempty"`
	// Variadic reports that it takes any number of arguments.
	Variadic bool `json:"variadic,omitempty"`
}

// Named is a Go type with a name.
type Named struct {
	Name    string `json:"name"`    // as in Page[example.com/m.User]
	Package string `json:"package"` // import path
	At      string `json:"-"`       // file:line:column of its declaration, if it is known
	Doc     string `json:"doc,omitempty"`
	Type    Type   `json:"type"`
	// Values are the constants of the type that its package declares, if they are known.
	Values []Value `json:"values,omitempty"`
	// TypeScript is the type in TypeScript that a directive //kkrpc:ts of the declaration gives, or empty.
	TypeScript string `json:"typescript,omitempty"`
	// Brand reports the directive //kkrpc:brand: no other type may stand for this one.
	Brand bool `json:"brand,omitempty"`
}

// Exception is an error that functions declare: the caller catches an Error with this name.
type Exception struct {
	Name   string  `json:"name"`
	At     string  `json:"-"` // file:line:column of its declaration, if it is known
	Doc    string  `json:"doc,omitempty"`
	Fields []Field `json:"fields,omitempty"` // its properties beside name, message and cause
}

// Value is a constant of a type.
type Value struct {
	Name string `json:"name"`
	Doc  string `json:"doc,omitempty"`
	JSON string `json:"json"`
}

// Type is the form of a value.
type Type struct {
	Kind Kind `json:"kind"`
	// Name and Package are those of one of API.Types if Kind is NamedType. Name is that of the JavaScript class if Kind is
	// Typed.
	Name    string `json:"name,omitempty"`
	Package string `json:"package,omitempty"`
	// Elem is that of a Nullable, a List, a Record, a Stream.
	Elem *Type `json:"elem,omitempty"`
	// Key is that of a Record.
	Key *Type `json:"key,omitempty"`
	// Len is that of a List whose length is fixed.
	Len int `json:"len,omitempty"`
	// Fields are those of a Struct.
	Fields []Field `json:"fields,omitempty"`
	// Unsent are the fields of a Struct that have a rule but no member: a peer cannot set them.
	Unsent []Unsent `json:"unsent,omitempty"`
	// GoKind tells Go values of one Kind apart. It is the reflect.Kind of an Integer but int, and float32 of a Number. A
	// json.Number is a string, and a String that methods write is a text. That of the keys of a Record is the reflect.Kind
	// or text. A valuer is any type with a method ValidatorValue, which rules apply to.
	GoKind string `json:"goKind,omitempty"`
	// Function is that of a Callback, and of a Reference to a function. A Reference has neither Function nor Members if it
	// may be one to anything.
	Function *Function `json:"function,omitempty"`
	// Members are those of the object that a Reference is one to.
	Members []Member `json:"members,omitempty"`
}

// Field is a member of an object.
type Field struct {
	Name string `json:"name"`
	Doc  string `json:"doc,omitempty"`
	Type Type   `json:"type"`
	// Optional reports that the member may be absent: omitempty or omitzero stands in its tag.
	Optional bool `json:"optional,omitempty"`
	// Quoted reports that a number crosses as a string: the option string stands in its tag.
	Quoted bool `json:"quoted,omitempty"`
	// Validate is the rule in the tag validate, for package validator of go-playground. A rule does not make a description
	// break: it is about values.
	Validate string `json:"validate,omitempty"`
	// GoName is the name that rules of other fields know, if there are rules in the struct. It is Base.ID for a field of an
	// embedded struct, and *Base.ID if that is behind a pointer or has a rule of its own.
	GoName string `json:"goName,omitempty"`
	At     string `json:"-"` // file:line:column of its declaration, if it is known and there is a rule
}

// Unsent is a field with a rule that is not a member of its object.
type Unsent struct {
	Validate string `json:"validate"` // as in Field, like the others
	GoName   string `json:"goName"`
	At       string `json:"-"`
}

// Kind is the form that a value has in JavaScript.
type Kind string

// The kinds of types.
const (
	Unknown   Kind = "unknown"   // an any, or a type that writes its own JSON
	Boolean   Kind = "boolean"   //
	Integer   Kind = "integer"   // a whole number that is exact in JavaScript
	Number    Kind = "number"    //
	String    Kind = "string"    //
	Bytes     Kind = "bytes"     // Uint8Array
	Date      Kind = "date"      //
	BigInt    Kind = "bigint"    //
	URL       Kind = "url"       //
	RegExp    Kind = "regexp"    //
	Map       Kind = "map"       // a Map of unknown keys and values
	Set       Kind = "set"       // likewise
	Error     Kind = "error"     //
	Typed     Kind = "typed"     // a typed array with the name Type.Name, such as Float64Array
	Undefined Kind = "undefined" //
	Nullable  Kind = "nullable"  // Elem or null
	List      Kind = "list"      //
	Record    Kind = "record"    // an object with any keys
	Struct    Kind = "struct"    // an object with these fields
	NamedType Kind = "named"     // see API.Types
	Callback  Kind = "callback"  // a function that is called one way
	Stream    Kind = "stream"    // an AsyncIterable of Elem
	Reference Kind = "reference" // a remote reference; one with a name has that of what it is a reference to
)
