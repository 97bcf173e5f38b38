package schema

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
)

// Entry is one name of an API, as a producer of descriptions found it.
type Entry struct {
	Path []string
	Kind MemberKind
	Doc  string
	At   string // file:line:column, for errors, if it is known
	// Params and Result are those of a method or a class, without context and error.
	Params   []GoParam
	Variadic bool   // the type of the last parameter is a slice
	Type     GoType // the result, the property or the constant; nil for none, and for null
	Errors   []GoError
}

// GoError is an error that a function declares.
type GoError struct {
	Name, Doc, At string
	Fields        []GoField
}

// GoParam is a parameter of a Go function.
type GoParam struct {
	Name string // empty if it is not known
	Type GoType
}

// GoMethod is a method of an interface.
type GoMethod struct {
	Name, Doc string // the name for a peer
	Type      GoType // a func
	Errors    []GoError
}

// GoType is a Go type, as reflection or a type checker knows it. Two values of one type need not be equal.
type GoType interface {
	Kind() reflect.Kind
	// Name is the name in its package, with type arguments as in Page[example.com/m.User], or empty.
	Name() string
	// Package is the import path of a type with a name; empty for predeclared types.
	Package() string
	// Elem is that of a pointer, slice, array, map or channel.
	Elem() GoType
	// Key is that of a map.
	Key() GoType
	// Len is that of an array.
	Len() int
	// Receives reports that a channel is <-chan.
	Receives() bool
	// Fields are the members of the objects that a struct is written as, embedded structs resolved. Behind them come the
	// other fields that have a rule.
	Fields() ([]GoField, error)
	// In and Out are the parameters and results of a func, and IsVariadic says that the last of In is a slice.
	In() []GoParam
	Out() []GoType
	IsVariadic() bool
	// Form says how the type's own methods write and read it.
	Form() Form
	// RefersTo is T, of kkrpc.RefTo[T].
	RefersTo() GoType
	// Methods are the exported ones of an interface, in the order of their names in Go.
	Methods() ([]GoMethod, error)
	// IsError reports that it is the interface error.
	IsError() bool
	// IsValuer reports that rules apply to the result of its method ValidatorValue.
	IsValuer() bool
	// Is reports whether other is the same type. Two types may have one name, in functions.
	Is(other GoType) bool
}

// Form is what the methods of a type make of its values.
type Form uint8

// The forms.
const (
	Plain    Form = iota // no methods
	TextForm             // a string: encoding.TextMarshaler and TextUnmarshaler
	JSONForm             // anything: json.Marshaler and json.Unmarshaler
)

// GoField is a field of a Go struct under its name in JSON.
type GoField struct {
	Name     string
	Doc      string
	Type     GoType
	Optional bool
	Quoted   bool
	// Validate, GoName and At are those of Field, GoName also without rules.
	Validate, GoName, At string
	// Unsent reports that it has a rule and no member. It has no name and no type then.
	Unsent bool
}

// Documented is a GoType of which more is known than its form.
type Documented interface {
	// Document sets what the declaration of the type says beside its form.
	Document(*Named)
}

// Build describes the API of which entries are the names, namespaces before what is in them. The error has a line for each
// that cannot be described.
func Build(name, doc string, entries iter.Seq[Entry]) (*API, error) {
	b := builder{types: map[typeName]*Named{}, first: map[typeName]firstUse{}, errors: map[string]*Exception{}}
	root := Member{}
	var errs []error
	for e := range entries {
		at := &root
		for _, segment := range e.Path[:len(e.Path)-1] {
			i := slices.IndexFunc(at.Members, func(m Member) bool { return m.Name == segment })
			if i < 0 {
				return nil, fmt.Errorf("schema: %s comes before its namespace", strings.Join(e.Path, "."))
			}
			at = &at.Members[i]
		}
		m, err := b.member(e)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", cmp.Or(e.At, "schema"), strings.Join(e.Path, "."), err))
		}
		at.Members = append(at.Members, m)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	api := &API{Version: Version, Name: cmp.Or(name, "API"), Doc: doc, Members: root.Members}
	for _, named := range b.types {
		api.Types = append(api.Types, *named)
	}
	for _, e := range b.errors {
		api.Errors = append(api.Errors, *e)
	}
	slices.SortFunc(api.Errors, func(a, b Exception) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(api.Types, func(a, b Named) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Package, b.Package)) })
	return api, nil
}

type typeName struct{ name, pkg string }

type builder struct {
	types  map[typeName]*Named
	first  map[typeName]firstUse // of each name
	errors map[string]*Exception
}

// firstUse is the type that a name was first seen for.
type firstUse struct {
	GoType
	referred bool // by a kkrpc.RefTo
}

func (b *builder) member(e Entry) (Member, error) {
	m := Member{Name: e.Path[len(e.Path)-1], Kind: e.Kind, Doc: e.Doc}
	switch e.Kind {
	case Method, Class:
		params, written, err := cutWriter(e)
		if err != nil {
			return m, err
		}
		f, err := b.function(params, e.Variadic)
		if err != nil {
			return m, err
		}
		if m.Function = f; written {
			result := bytesStream()
			f.Result = &result
		}
		for _, declared := range e.Errors {
			if err := b.exception(declared); err != nil {
				return m, err
			}
			f.Errors = append(f.Errors, declared.Name)
		}
		slices.Sort(f.Errors)
		f.Errors = slices.Compact(f.Errors)
		if e.Type == nil {
			break
		}
		result, err := b.value(e.Type)
		if err != nil {
			return m, fmt.Errorf("result: %w", err)
		}
		if result.Kind != Undefined {
			f.Result = &result
		}
	case Property, ReadOnly, Constant:
		m.Type = &Type{Kind: Nullable}
		if e.Type == nil {
			break
		}
		t, err := b.value(e.Type)
		if err != nil {
			return m, err
		}
		m.Type = &t
	}
	return m, nil
}

// cutWriter returns the parameters of e without the io.Writer, and reports whether there is one: what e writes to it is
// the result.
func cutWriter(e Entry) (params []GoParam, written bool, err error) {
	for i, p := range e.Params {
		switch variadic := e.Variadic && i == len(e.Params)-1; {
		case variadic && !IsWriter(p.Type.Elem()), !variadic && !IsWriter(p.Type):
			params = append(params, p)
		case variadic || written:
			return nil, false, fmt.Errorf("parameter %d: only one io.Writer can be a parameter, since what is written to it is the result", i+1)
		case e.Type != nil:
			return nil, false, errors.New("what it writes to its io.Writer is the result; return nothing but an error")
		case e.Kind == Class:
			return nil, false, errors.New("what it writes to its io.Writer is no instance")
		default:
			written = true
		}
	}
	return params, written, nil
}

// exception adds an error that a function declares. Functions that declare one name mean one error.
func (b *builder) exception(e GoError) error {
	object, err := b.fields(e.Fields)
	if err != nil {
		return fmt.Errorf("error %s%w", e.Name, err)
	}
	declared := &Exception{Name: e.Name, At: e.At, Doc: e.Doc, Fields: object.Fields}
	known := b.errors[e.Name]
	if known != nil && !reflect.DeepEqual(known.Fields, declared.Fields) {
		return fmt.Errorf("%s and %s are errors with the name %s and other fields; rename one", known.At, e.At, e.Name)
	}
	if known == nil {
		b.errors[e.Name] = declared
	}
	return nil
}

func (b *builder) function(params []GoParam, variadic bool) (*Function, error) {
	f := new(Function)
	for i, p := range params {
		param := Param{Name: p.Name, Variadic: variadic && i == len(params)-1}
		t := p.Type
		if param.Variadic {
			t = t.Elem()
		}
		var err error
		if param.Type, err = b.param(t); err != nil {
			return nil, fmt.Errorf("parameter %d: %w", i+1, err)
		}
		param.Optional = !param.Variadic && mayBeLeftOut(t)
		f.Params = append(f.Params, param)
	}
	return f, nil
}

// mayBeLeftOut reports whether a peer may leave out an argument for a parameter of type t.
func mayBeLeftOut(t GoType) bool {
	if is(t, kkrpcPath, "Callback") || t.Kind() == reflect.Pointer && is(t.Elem(), kkrpcPath, "Callback") || IsReader(t) {
		return false
	}
	return t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface || is(t, superjsonPath, "Value") || isRaw(t)
}

// param is value for what a function takes, which may be a function of the peer.
func (b *builder) param(t GoType) (Type, error) {
	if t.Kind() == reflect.Pointer && is(t.Elem(), kkrpcPath, "Callback") {
		any := Type{Kind: Unknown}
		return Type{Kind: Callback, Function: &Function{Params: []Param{{Type: any, Variadic: true}}}}, nil
	}
	if IsWriter(t) { // cutWriter has left those that are results
		return Type{}, errors.New("an io.Writer in a function that returns nothing; use an io.Reader")
	}
	if t.Kind() != reflect.Func || streamItem(t) != nil {
		return b.value(t)
	}
	in := t.In()
	if len(in) > 0 && is(in[0].Type, "context", "Context") {
		in = in[1:]
	}
	f, err := b.function(in, t.IsVariadic())
	return Type{Kind: Callback, Function: f}, err
}

// value is the form of what stands by itself: data or a stream.
func (b *builder) value(t GoType) (Type, error) {
	if IsReader(t) {
		return bytesStream(), nil
	}
	item := streamItem(t)
	if item == nil {
		return b.data(t)
	}
	elem, err := b.data(item)
	return Type{Kind: Stream, Elem: &elem}, err
}

// IsReader reports whether a t crosses as a stream of bytes: an io.Reader or an io.ReadCloser.
func IsReader(t GoType) bool { return is(t, "io", "Reader") || is(t, "io", "ReadCloser") }

// IsWriter reports whether a t is an io.Writer. A function writes its result to it.
func IsWriter(t GoType) bool { return is(t, "io", "Writer") }

func bytesStream() Type { return Type{Kind: Stream, Elem: &Type{Kind: Bytes}} }

// IsStream reports whether a t is an iterator or a channel that crosses as a stream.
func IsStream(t GoType) bool { return streamItem(t) != nil }

// streamItem is the type of the items of a t, or nil if a t is no stream.
func streamItem(t GoType) GoType {
	switch t.Kind() {
	case reflect.Chan:
		if t.Receives() {
			return t.Elem()
		}
	case reflect.Func:
		if in := t.In(); len(in) == 1 && len(t.Out()) == 0 && !t.IsVariadic() && in[0].Type.Kind() == reflect.Func {
			yield, out := in[0].Type.In(), in[0].Type.Out()
			if len(out) == 1 && out[0].Kind() == reflect.Bool && (len(yield) == 1 || len(yield) == 2 && yield[1].Type.IsError()) {
				return yield[0].Type
			}
		}
	}
	return nil
}

func (b *builder) data(t GoType) (Type, error) {
	if known, ok := knownTypes[typeName{t.Name(), t.Package()}]; ok {
		return known, nil
	}
	if t.Package() == superjsonPath && strings.HasSuffix(t.Name(), "Array") {
		return Type{Kind: Typed, Name: t.Name()}, nil
	}
	switch {
	case is(t, "time", "Duration"):
		return Type{}, errors.New("time.Duration has no unit that both sides agree on; use a number of milliseconds")
	case t.Kind() == reflect.Pointer && is(t.Elem(), kkrpcPath, "Ref"):
		return Type{Kind: Reference}, nil
	case t.Package() == kkrpcPath && strings.HasPrefix(t.Name(), "RefTo["):
		return b.reference(t.RefersTo())
	case IsReader(t):
		return Type{}, fmt.Errorf("an io.%s is a stream, which can only be a result or a parameter itself", t.Name())
	case isRaw(t), t.IsError():
		return Type{Kind: Unknown}, nil
	case t.Package() == "":
		return b.form(t)
	}
	return b.named(t, false, b.form)
}

// named is a name for t, whose form is what form says. referred: t is not data, references to it cross.
func (b *builder) named(t GoType, referred bool, form func(GoType) (Type, error)) (Type, error) {
	key := typeName{t.Name(), t.Package()}
	first, known := b.first[key]
	switch {
	case known && !first.Is(t):
		return Type{}, fmt.Errorf("there are two types %s.%s; rename one", key.pkg, key.name)
	case known && first.referred != referred:
		return Type{}, fmt.Errorf("%s.%s crosses as data and by reference; declare a type of its own for one of them", key.pkg, key.name)
	case !known:
		b.first[key] = firstUse{t, referred}
		named := &Named{Name: key.name, Package: key.pkg}
		b.types[key] = named // before its parts, which may lead back
		if d, ok := t.(Documented); ok {
			d.Document(named)
		}
		form, err := form(t)
		if err != nil {
			return form, err
		}
		named.Type = form
	}
	return Type{Kind: NamedType, Name: key.name, Package: key.pkg}, nil
}

// reference is the form of a kkrpc.RefTo[t].
func (b *builder) reference(t GoType) (Type, error) {
	switch kind := t.Kind(); {
	case kind != reflect.Func && kind != reflect.Interface:
		return Type{}, fmt.Errorf("kkrpc.RefTo[%s]: want a func type, or an interface with methods", cmp.Or(t.Name(), kind.String()))
	case t.Package() == "":
		return b.referent(t)
	}
	return b.named(t, true, b.referent)
}

// referent is what a reference to a t is one to.
func (b *builder) referent(t GoType) (Type, error) {
	if t.Kind() == reflect.Func {
		m, err := b.method(GoMethod{Type: t})
		return Type{Kind: Reference, Function: m.Function}, err
	}
	methods, err := t.Methods()
	if err == nil && len(methods) == 0 {
		err = fmt.Errorf("kkrpc.RefTo[%s]: the interface has no exported method", cmp.Or(t.Name(), "interface"))
	}
	if err != nil {
		return Type{}, err
	}
	form := Type{Kind: Reference}
	for _, method := range methods {
		m, err := b.method(method)
		if err == nil && slices.ContainsFunc(form.Members, func(o Member) bool { return o.Name == m.Name }) {
			err = errors.New("two methods have this name; rename one")
		}
		if err != nil {
			return Type{}, fmt.Errorf(".%s: %w", method.Name, err)
		}
		form.Members = append(form.Members, m)
	}
	return form, nil
}

// method is a function without its context and its error.
func (b *builder) method(m GoMethod) (Member, error) {
	e := Entry{Path: []string{m.Name}, Kind: Method, Doc: m.Doc, Params: m.Type.In(), Variadic: m.Type.IsVariadic(), Errors: m.Errors}
	if len(e.Params) > 0 && is(e.Params[0].Type, "context", "Context") {
		e.Params = e.Params[1:]
	}
	results := m.Type.Out()
	if n := len(results); n > 0 && results[n-1].IsError() {
		results = results[:n-1]
	}
	switch len(results) {
	case 0:
	case 1:
		e.Type = results[0]
	default:
		return Member{}, fmt.Errorf("the function returns %d values; want at most one, and an error behind it", len(results))
	}
	return b.member(e)
}

// form is the form of t, whatever its name.
func (b *builder) form(t GoType) (Type, error) {
	if t.Kind() == reflect.Pointer {
		elem, err := b.data(t.Elem())
		if elem.Kind == Nullable || elem.Kind == Unknown {
			return elem, err
		}
		return Type{Kind: Nullable, Elem: &elem}, err
	}
	switch t.Form() {
	case TextForm:
		return Type{Kind: String, GoKind: goKind(t, "text")}, nil
	case JSONForm:
		return Type{Kind: Unknown}, nil
	}
	form, err := b.plain(t)
	form.GoKind = goKind(t, form.GoKind)
	return form, err
}

// goKind is the kind of values of t, if no method hides them.
func goKind(t GoType, kind string) string {
	if t.IsValuer() {
		return "valuer"
	}
	return kind
}

// plain is the form of a t that no methods write.
func (b *builder) plain(t GoType) (Type, error) {
	switch k := t.Kind(); k {
	case reflect.Bool:
		return Type{Kind: Boolean}, nil
	case reflect.Float32:
		return Type{Kind: Number, GoKind: k.String()}, nil
	case reflect.Float64:
		return Type{Kind: Number}, nil
	case reflect.Int:
		return Type{Kind: Integer}, nil
	case reflect.String:
		return Type{Kind: String}, nil
	case reflect.Interface:
		return Type{Kind: Unknown}, nil
	case reflect.Slice, reflect.Array:
		if k == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && t.Elem().Form() == Plain {
			return Type{Kind: Bytes}, nil
		}
		elem, err := b.data(t.Elem())
		if err != nil {
			return Type{}, fmt.Errorf("[]: %w", err)
		}
		list := Type{Kind: List, Elem: &elem}
		if k == reflect.Array {
			list.Len = t.Len()
		}
		return list, nil
	case reflect.Map:
		key, err := b.key(t.Key())
		if err != nil {
			return Type{}, err
		}
		elem, err := b.data(t.Elem())
		return Type{Kind: Record, Key: &key, Elem: &elem}, err
	case reflect.Struct:
		return b.object(t)
	default:
		if k > reflect.Int && k <= reflect.Uint64 {
			return Type{Kind: Integer, GoKind: k.String()}, nil
		}
		return Type{}, fmt.Errorf("a %s cannot cross", k)
	}
}

// key is the form of the keys of a map, which are the names of members.
func (b *builder) key(t GoType) (Type, error) {
	switch k := t.Kind(); {
	case t.Package() != "" && k == reflect.String && t.Form() == Plain:
		return b.data(t) // perhaps one of few
	case t.Form() == TextForm:
		return Type{Kind: String, GoKind: "text"}, nil
	case k == reflect.String:
		return Type{Kind: String}, nil
	case k >= reflect.Int && k <= reflect.Uint64:
		return Type{Kind: String, GoKind: k.String()}, nil
	default:
		return Type{}, fmt.Errorf("a %s cannot be the key of an object", k)
	}
}

func (b *builder) object(t GoType) (Type, error) {
	fields, err := t.Fields()
	if err != nil {
		return Type{}, err
	}
	return b.fields(fields)
}

// fields is the object with these members. A member without a type is null.
func (b *builder) fields(fields []GoField) (Type, error) {
	object := Type{Kind: Struct}
	ruled := slices.ContainsFunc(fields, func(f GoField) bool { return f.Validate != "" })
	for _, f := range fields {
		field := Field{Name: f.Name, Doc: f.Doc, Type: Type{Kind: Nullable}, Optional: f.Optional, Quoted: f.Quoted, Validate: f.Validate}
		if ruled {
			field.GoName, field.At = f.GoName, f.At
		}
		if f.Unsent {
			object.Unsent = append(object.Unsent, Unsent{Validate: f.Validate, GoName: f.GoName, At: f.At})
			continue
		}
		if f.Type != nil {
			var err error
			if field.Type, err = b.data(f.Type); err != nil {
				return Type{}, fmt.Errorf(".%s: %w", f.Name, err)
			}
		}
		object.Fields = append(object.Fields, field)
	}
	return object, nil
}

const (
	kkrpcPath     = "github.com/kkrpc-go/kkrpc"
	superjsonPath = kkrpcPath + "/superjson"
)

// knownTypes have a form that no method tells.
var knownTypes = map[typeName]Type{
	{"Time", "time"}:                 {Kind: Date},
	{"Int", "math/big"}:              {Kind: BigInt},
	{"URL", "net/url"}:               {Kind: URL},
	{"Number", "encoding/json"}:      {Kind: Number, GoKind: "string"},
	{"Value", superjsonPath}:         {Kind: Unknown},
	{"UndefinedType", superjsonPath}: {Kind: Undefined},
	{"RegExp", superjsonPath}:        {Kind: RegExp},
	{"Map", superjsonPath}:           {Kind: Map},
	{"Set", superjsonPath}:           {Kind: Set},
	{"Error", superjsonPath}:         {Kind: Error},
	{"Shared", kkrpcPath}:            {Kind: Unknown},
}

func is(t GoType, pkg, name string) bool { return t.Name() == name && t.Package() == pkg }

// isRaw reports whether t holds JSON already.
func isRaw(t GoType) bool {
	return is(t, "encoding/json", "RawMessage") || is(t, "github.com/go-json-experiment/json/jsontext", "Value") || is(t, "encoding/json/jsontext", "Value")
}
