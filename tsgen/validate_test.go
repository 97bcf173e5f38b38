package tsgen_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/kkrpc-go/kkrpc/schema"
	"github.com/kkrpc-go/kkrpc/tsgen"
)

// form is an API to which values of a struct with these fields are sent, and from which values of another come.
func form(fields ...schema.Field) *schema.API {
	for i := range fields {
		fields[i].GoName, fields[i].At = strings.ToUpper(fields[i].Name), "a.go:7:2"
	}
	return &schema.API{
		Name:    "API",
		Members: []schema.Member{method("send", named("Got", "a"), schema.Param{Name: "in", Type: named("Form", "a")})},
		Types: []schema.Named{
			structure("Form", "a", fields...),
			structure("Got", "a", schema.Field{Name: "x", Type: schema.Type{Kind: schema.String}, Validate: "required"}),
		},
	}
}

func field(name, rule string, t schema.Type) schema.Field {
	return schema.Field{Name: name, Type: t, Validate: rule}
}

func nullable(t schema.Type) schema.Type { return schema.Type{Kind: schema.Nullable, Elem: &t} }

var (
	text    = schema.Type{Kind: schema.String}
	integer = schema.Type{Kind: schema.Integer}
	date    = schema.Type{Kind: schema.Date}
	texts   = schema.Type{Kind: schema.List, Elem: &text}
	encoded = schema.Type{Kind: schema.String, GoKind: "text"}
	valuer  = schema.Type{Kind: schema.Struct, GoKind: "valuer"}
)

func generate(t *testing.T, api *schema.API, v tsgen.Validation) (file string, warnings []string) {
	t.Helper()
	out, err := tsgen.Generate(api, &tsgen.Options{Validate: v, Warn: func(line string) { warnings = append(warnings, line) }})
	if err != nil {
		t.Fatal(err)
	}
	return string(out), warnings
}

// Rules that the schemas do not have are told with their place and the reason, in both forms.
func TestRulesLeftToTheServer(t *testing.T) {
	for name, test := range map[string]struct {
		field schema.Field
		want  string // behind the place
	}{
		"unknown":         {field("f", "required,strong,max=3", text), "strong: it is no rule that is known here"},
		"an alternative":  {field("f", "email|strong=2", text), "email|strong=2: strong=2: it is no rule that is known here"},
		"a boolean":       {field("f", "min=3", schema.Type{Kind: schema.Boolean}), "min=3: it is about a boolean"},
		"text of numbers": {field("f", "email", integer), "email: it is about a number"},
		"no number":       {field("f", "max=many", text), `max=many: the server fails, as it cannot read "many"`},
		"below zero":      {field("f", "gt=-1", schema.Type{Kind: schema.Integer, GoKind: "uint8"}), `gt=-1: the server fails, as it cannot read "-1"`},
		"no boolean":      {field("f", "eq=maybe", schema.Type{Kind: schema.Boolean}), `eq=maybe: the server fails, as it cannot read "maybe"`},
		"methods":         {field("f", "required", encoded), "required: it is about a value that Go holds in another form"},
		"json.Number":     {field("f", "required", schema.Type{Kind: schema.Number, GoKind: "string"}), "required: it is about a value that Go holds in another form"},
		"any":             {field("f", "required", schema.Type{Kind: schema.Unknown}), "required: it is about a value that Go holds in another form"},
		"a valuer":        {field("f", "max=3", valuer), "max=3: it is about a value that Go holds in another form"},
		"behind omitempty": {field("f", "omitempty,uuid", encoded),
			"the rules behind omitempty: it is about a value that Go holds in another form"},
		"a layout":         {field("f", "datetime=Jan 2", text), `datetime=Jan 2: "Jan 2" in the layout is not known here`},
		"a layout twice":   {field("f", "datetime=02 02", text), `datetime=02 02: the layout has its day twice`},
		"another field":    {field("f", "eqfield=Hidden", text), "eqfield=Hidden: Hidden is no field of this struct that crosses"},
		"of another type":  {field("f", "gtfield=N", text), "gtfield=N: N has another type"},
		"part of another":  {field("f", "required_if=A.B 1", text), "required_if=A.B 1: A.B is no field of this struct that crosses"},
		"without a value":  {field("f", "required_if=N", text), "required_if=N: it has a field without a value, and the server fails"},
		"order of texts":   {field("f", "gtfield=O", text), "gtfield=O: it is about a text"},
		"dive":             {field("f", "dive,required", text), "dive: it is about a text"},
		"unique structs":   {field("f", "unique", schema.Type{Kind: schema.List, Elem: &schema.Type{Kind: schema.Struct}}), "unique: it compares a struct"},
		"unique elsewhere": {field("f", "unique=No", schema.Type{Kind: schema.List, Elem: &schema.Type{Kind: schema.Struct}}), "unique=No: No is no field that crosses"},
		"unused keys":      {field("f", "dive,keys,required,endkeys", schema.Type{Kind: schema.Record, Key: &encoded, Elem: &text}), "the rules of keys: they are about a value that Go holds in another form"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range []tsgen.Validation{tsgen.Standard, tsgen.Zod} {
				file, warnings := generate(t, form(test.field, field("n", "", integer), field("o", "", text)), v)
				if diff := cmp.Diff([]string{"a.go:7:2: Form.f: only the server checks " + test.want}, warnings); diff != "" {
					t.Errorf("%s: %s", v, diff)
				}
				if !strings.Contains(file, "export const FormSchema") {
					t.Errorf("%s has no schema:\n%s", v, file)
				}
			}
		})
	}
}

// Rules of fields that do not cross, and of those in embedded structs that may not be there, are told too.
func TestRulesOfHiddenFields(t *testing.T) {
	api := form(field("a", "required", text))
	api.Types[0].Type.Fields = append(api.Types[0].Type.Fields, schema.Field{Name: "b", Type: text, Validate: "required", GoName: "*Base.B", At: "a.go:9:2"})
	api.Types[0].Type.Unsent = []schema.Unsent{{Validate: "min=3", GoName: "Secret", At: "a.go:8:2"}}
	file, warnings := generate(t, api, tsgen.Standard)
	want := []string{
		"a.go:9:2: Form.b: only the server checks the rules: they stand in an embedded struct that is behind a pointer or has a rule",
		"a.go:8:2: Form.Secret: only the server checks min=3: the field does not cross",
	}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(file, "\tb: text(),\n") {
		t.Error(file)
	}
}

// The tests in TypeScript, of which those that always pass are left out.
func TestSchemaOfFields(t *testing.T) {
	for name, test := range map[string]struct {
		field         schema.Field
		standard, zod string // of the field
	}{
		"nothing":         {field("f", "", text), "text()", "z.string()"},
		"skipped":         {field("f", "-", text), "text()", "z.string()"},
		"a pointer":       {field("f", "required,max=3", nullable(text)), `nullable(text(["max=3", (v) => runes(v) <= 3]), ["required", () => false])`, `z.string().refine((v) => runes(v) <= 3, must("max=3"))`},
		"an empty one":    {field("f", "omitempty,email", nullable(text)), `nullable(text(["email", isEmail]))`, `z.string().refine((v) => isEmail(v), must("email")).nullish()`},
		"a string in one": {field("f", `eq=VALUE" %s`, text), `text(["eq=VALUE\" %s", (v) => v === "VALUE\" %s"])`, `z.string().refine((v) => v === "VALUE\" %s", must("eq=VALUE\" %s"))`},
		"commas":          {field("f", "oneof=a0x2Cb 0x7C", text), `text(["oneof=a,b |", (v) => ["a,b", "|"].includes(v)])`, `z.string().refine((v) => ["a,b", "|"].includes(v), must("oneof=a,b |"))`},
		"a small number":  {field("f", "", schema.Type{Kind: schema.Integer, GoKind: "uint16"}), "integerIn(0, 65535)", "z.int().min(0).max(65535)"},
		"a number always": {field("f", "numeric", integer), "integer()", "z.int()"},
		"any number":      {field("f", "gte=1e1", schema.Type{Kind: schema.Number}), `real(["gte=1e1", (v) => v >= 10])`, `z.number().refine((v) => v >= 10, must("gte=1e1"))`},
		"an empty list":   {field("f", "required,max=2", texts), `list(text(), ["required", (v) => v != null], ["max=2", (v) => count(v) <= 2])`, `z.array(z.string()).refine((v) => count(v) <= 2, must("max=2"))`},
		"elements":        {field("f", "dive,alpha", texts), `list(text(["alpha", (v) => /^[a-zA-Z]+$/.test(v)]))`, `z.array(z.string().refine((v) => /^[a-zA-Z]+$/.test(v), must("alpha")))`},
		"a date":          {field("f", "required", date), `date(["required", (v) => v !== noTime])`, "z.union([z.date(), z.string()]).refine((v) => !Number.isNaN(instant(v)))\n\t\t.refine((v) => instant(v) !== noTime, must(\"required\"))"},
		"absent":          {schema.Field{Name: "f", Type: text, Optional: true, Validate: "max=3"}, `text(["max=3", (v) => runes(v) <= 3])`, `z.string().refine((v) => runes(v) <= 3, must("max=3")).prefault("")`},
		"absent or good":  {schema.Field{Name: "f", Type: texts, Optional: true, Validate: "min=2"}, `list(text(), ["min=2", (v) => count(v) >= 2])`, `z.array(z.string()).refine((v) => count(v) >= 2, must("min=2"))`},
		"absent is good":  {schema.Field{Name: "f", Type: texts, Optional: true, Validate: "max=2"}, `list(text(), ["max=2", (v) => count(v) <= 2])`, `z.array(z.string()).refine((v) => count(v) <= 2, must("max=2")).optional()`},
	} {
		t.Run(name, func(t *testing.T) {
			api := form(test.field, field("rule", "required", text))
			for v, want := range map[tsgen.Validation]string{tsgen.Standard: test.standard, tsgen.Zod: test.zod} {
				file, warnings := generate(t, api, v)
				if want = "\tf: " + want + ",\n"; !strings.Contains(file, want) || len(warnings) > 0 {
					t.Errorf("%s: no %sin\n%s%q", v, want, file, warnings)
				}
			}
		})
	}
}

// A schema is written for what is sent and has rules, and for its parts. Equal descriptions give equal files.
func TestWhichTypesHaveSchemas(t *testing.T) {
	api := form(field("part", "", named("Part", "a")), field("list", "dive", schema.Type{Kind: schema.List, Elem: new(named("Form", "a"))}))
	api.Types = append(api.Types, structure("Other", "a", field("x", "", text)), structure("Part", "a", field("x", "required", text)))
	api.Members = append(api.Members, method("other", text, schema.Param{Type: named("Other", "a")}))
	for v, want := range map[tsgen.Validation]string{tsgen.Standard: "FormSchema PartSchema", tsgen.Zod: "PartSchema FormSchema", "": ""} {
		file, _ := generate(t, api, v)
		var names []string
		for line := range strings.Lines(file) {
			if rest, ok := strings.CutPrefix(line, "export const "); ok {
				names = append(names, rest[:strings.IndexAny(rest, ": ")])
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%q: %s, want %s", v, got, want)
		}
		if again, _ := generate(t, api, v); again != file {
			t.Errorf("%q gives other files", v)
		}
	}
	file, err := tsgen.Generate(api, &tsgen.Options{Validate: tsgen.Zod, TypesOnly: true})
	if err != nil || strings.Contains(string(file), "zod") {
		t.Errorf("%v\n%s", err, file)
	}
}

// Only the helpers that are used are in a file, and they give way to the names of the API.
func TestHelpers(t *testing.T) {
	file, _ := generate(t, form(field("f", "max=3", text)), tsgen.Standard)
	for _, name := range []string{"runes", "text", "report"} {
		if !strings.Contains(file, "\nfunction "+name+"(") && !strings.Contains(file, "\nfunction "+name+"<") {
			t.Errorf("no %s in\n%s", name, file)
		}
	}
	for _, name := range []string{"isEmail", "list", "nullable", "count", "instant", "integer", "must"} {
		if strings.Contains(file, "function "+name) {
			t.Errorf("%s is in\n%s", name, file)
		}
	}
	api := form(field("f", "max=3", text))
	api.Types = append(api.Types, structure("Issue", "a"), structure("Number", "a"))
	slices.SortFunc(api.Types, func(a, b schema.Named) int { return strings.Compare(a.Name, b.Name) })
	api.Types[0].Type.Fields = append(api.Types[0].Type.Fields, field("n", "", schema.Type{Kind: schema.Number}))
	api.Members = append(api.Members, method("g", text, schema.Param{Type: named("Issue", "a")}, schema.Param{Type: named("Number", "a")}))
	file, _ = generate(t, api, tsgen.Standard)
	for _, want := range []string{"\ninterface Issue_ {\n", "readonly issues: Issue_[]", `scalar("a number", globalThis.Number.isFinite, `} {
		if !strings.Contains(file, want) {
			t.Errorf("no %q in\n%s", want, file)
		}
	}
}

func TestNamesOfSchemas(t *testing.T) {
	for name, test := range map[string]struct {
		other string
		v     tsgen.Validation
		want  string
	}{
		"the schema": {"FormSchema", tsgen.Standard, "the schema of a.Form and a.go:3:6: a.FormSchema are both FormSchema in TypeScript; rename one of them"},
		"unknown":    {"Other", "joi", `tsgen: validate "joi": want standard or zod`},
	} {
		t.Run(name, func(t *testing.T) {
			api := form(field("f", "required", text))
			api.Types = append(api.Types, structure(test.other, "a"))
			api.Members = append(api.Members, method("g", named(test.other, "a")))
			if _, err := tsgen.Generate(api, &tsgen.Options{Validate: test.v}); err == nil || err.Error() != test.want {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}
