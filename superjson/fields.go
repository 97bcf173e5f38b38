package superjson

import (
	"errors"
	"iter"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/kkrpc-go/kkrpc/internal/jsonform"
)

// field is a field of a struct in JSON.
type field struct {
	name      string
	quoted    string // `"name":`
	index     []int
	order     int // in fields.list
	typ       reflect.Type
	tagged    bool
	isZero    func(reflect.Value) bool // the option omitzero; nil without it
	omitEmpty bool
	quote     bool // the option string: a number in a JSON string
	adds      bool // decoding may keep parts of the value that is there
	required  bool // see Field.Required
}

type fields struct {
	list    []field
	require fieldSet // of the required ones
	exact   map[string]*field
	folded  map[string]*field
	problem string // why the struct cannot be used
}

var fieldsCache sync.Map // reflect.Type to *fields

func fieldsOf(t reflect.Type) *fields {
	if f, ok := fieldsCache.Load(t); ok {
		return f.(*fields)
	}
	f, _ := fieldsCache.LoadOrStore(t, findFields(t))
	return f.(*fields)
}

// CheckStruct reports why values of the struct type t cannot be written or, with reading, cannot be read into a new t.
//
// For package kkrpc: functions are checked when they are registered.
func CheckStruct(t reflect.Type, reading bool) error {
	plan := fieldsOf(t)
	if plan.problem != "" {
		return errors.New(plan.problem)
	}
	for _, f := range plan.list {
		if _, err := settableField(reflect.New(t).Elem(), f.index, nil); reading && err != nil {
			return errors.New(err.(*DataError).Reason)
		}
	}
	return nil
}

// Field is a member that values of a struct type are written with.
type Field struct {
	Name  string
	Index []int // for reflect.Value.FieldByIndex; not to be changed
	Type  reflect.Type
	// Optional reports that the member may be absent: by omitempty or omitzero in the tag, or with an embedded pointer.
	Optional bool
	// Required reports that the member must be there if Meter.RequireMembers says so. It is not Optional, and its type has no
	// value for undefined: it is no pointer, no interface, no Value and no raw JSON.
	Required bool
	// Quoted reports that a number is written as a string, by the option string in the tag.
	Quoted bool
}

// Fields yields the members of the struct type t in the order of its fields. Fields of embedded structs are among them,
// fields that others hide are not.
//
// For package kkrpc: types are checked and described, and values logged, by the fields that cross.
func Fields(t reflect.Type) iter.Seq[Field] {
	return func(yield func(Field) bool) {
		for _, f := range fieldsOf(t).list {
			if !yield(Field{f.name, f.index, f.typ, f.optional(t), f.required, f.quote}) {
				return
			}
		}
	}
}

// optional is Field.Optional of a field of t.
func (f *field) optional(t reflect.Type) bool {
	return f.omitEmpty || f.isZero != nil || throughPointer(t, f.index)
}

// takesUndefined reports whether t has a value for a member that is not there.
func takesUndefined(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface || t == reflect.TypeFor[Value]() ||
		t == reflect.TypeFor[UndefinedType]() || jsonform.IsRaw(t)
}

// throughPointer reports whether an embedded pointer leads to a field.
func throughPointer(t reflect.Type, index []int) bool {
	for i := range index[:len(index)-1] {
		if t.FieldByIndex(index[:i+1]).Type.Kind() == reflect.Pointer {
			return true
		}
	}
	return false
}

// find returns the field that a member name means: exactly, or without regard to case.
func (f *fields) find(name string) *field {
	if found := f.exact[name]; found != nil {
		return found
	}
	return f.folded[strings.ToLower(name)]
}

type embedded struct {
	typ   reflect.Type
	index []int
}

// findFields walks t and its embedded structs breadth first. Of fields with one name the shallowest counts. Among
// several at that depth, the only one with a name in its tag counts, or none.
func findFields(t reflect.Type) *fields {
	result := &fields{exact: map[string]*field{}, folded: map[string]*field{}}
	visited := map[reflect.Type]bool{}
	taken := map[string]bool{}
	for level := []embedded{{typ: t}}; len(level) > 0; {
		var next []embedded
		var found []field
		for _, s := range level {
			if visited[s.typ] {
				continue
			}
			visited[s.typ] = true
			for i := range s.typ.NumField() {
				index := append(slices.Clone(s.index), i)
				f, inner, problem := readField(s.typ.Field(i), index)
				if problem != "" {
					result.problem = problem
				}
				if inner != nil {
					next = append(next, embedded{inner, index})
				} else if f != nil {
					found = append(found, *f)
				}
			}
		}
		best := dominant(found)
		for _, f := range best {
			if !taken[f.name] {
				result.list = append(result.list, f)
			}
		}
		for i, f := range found {
			if !taken[f.name] && !slices.ContainsFunc(best, sameName(f)) {
				other := found[i+1+slices.IndexFunc(found[i+1:], sameName(f))]
				result.problem = "the fields " + goName(t, f.index) + " and " + goName(t, other.index) + " have one name, " + strconv.Quote(f.name) +
					`; rename one by its tag, or leave it out by json:"-"`
				break
			}
		}
		for _, f := range found {
			taken[f.name] = true
		}
		level = next
	}
	// Its code is the same for all types, unlike that of slices.SortFunc: ADR 7 has what that saves.
	sort.SliceStable(result.list, func(i, j int) bool { return slices.Compare(result.list[i].index, result.list[j].index) < 0 })
	for i := range result.list {
		f := &result.list[i]
		f.order = i
		if f.required = !f.optional(t) && !takesUndefined(f.typ); f.required {
			result.require.add(i)
		}
		result.exact[f.name] = f
		if lower := strings.ToLower(f.name); result.folded[lower] == nil {
			result.folded[lower] = f
		}
	}
	return result
}

func sameName(f field) func(field) bool {
	return func(other field) bool { return other.name == f.name }
}

// goName is the name of a field in Go, behind those of the embedded structs that lead to it.
func goName(t reflect.Type, index []int) string {
	var names []string
	for i := range index {
		names = append(names, t.FieldByIndex(index[:i+1]).Name)
	}
	return strings.Join(names, ".")
}

func dominant(found []field) []field {
	all, tagged := map[string]int{}, map[string]int{}
	for _, f := range found {
		all[f.name]++
		if f.tagged {
			tagged[f.name]++
		}
	}
	return slices.DeleteFunc(slices.Clone(found), func(f field) bool {
		return all[f.name] > 1 && (tagged[f.name] != 1 || !f.tagged)
	})
}

// readField reads a field's tag. inner is the struct to descend into when the field is embedded.
func readField(sf reflect.StructField, index []int) (f *field, inner reflect.Type, problem string) {
	tag := sf.Tag.Get("json")
	if tag == "-" {
		return nil, nil, ""
	}
	name, named, options := jsonform.CutTag(tag)
	target := sf.Type
	if target.Kind() == reflect.Pointer && target.Name() == "" {
		target = target.Elem()
	}
	embed := sf.Anonymous && !named && target.Kind() == reflect.Struct || slices.Contains(options, "embed")
	if embed && target.Kind() == reflect.Struct && ownEncoder(target) == nil && !jsonform.Writes(target) {
		if !sf.IsExported() && !sf.Anonymous {
			return nil, nil, "field " + sf.Name + ": an unexported field can only be embedded as in Go, without a name"
		}
		return nil, target, ""
	}
	if slices.Contains(options, "embed") {
		return nil, nil, "field " + sf.Name + ": only structs can be embedded"
	}
	if !sf.IsExported() {
		return nil, nil, ""
	}
	f = &field{name: name, index: index, typ: sf.Type, tagged: named}
	if !named {
		f.name = sf.Name
	}
	f.quoted = string(appendString(nil, f.name)) + ":"
	switch sf.Type.Kind() {
	case reflect.Pointer, reflect.Struct, reflect.Array:
		f.adds = true
	default:
		f.adds = jsonform.Reads(sf.Type)
	}
	if slices.Contains(options, "omitzero") {
		f.isZero = zeroTest(f.typ)
	}
	f.omitEmpty = slices.Contains(options, "omitempty")
	f.quote = slices.Contains(options, "string") && isNumber(target.Kind())
	return f, nil, ""
}

func isNumber(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Float64 }
