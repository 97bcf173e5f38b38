package source

import (
	"cmp"
	"encoding/json"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc/schema"
)

// docs knows the comments of a program, by the places of the names that they are about.
type docs struct {
	text map[token.Pos]string
	// directives are the lines //kkrpc: of declarations, by the places of their names.
	directives map[token.Pos][]directive
	own        map[*types.Package]bool
	program    *Program
	problems   []error // of types, since describe began
}

// directive is a line //kkrpc: of a comment.
type directive struct {
	pos  token.Pos
	text string // behind the colon
}

// newDocs reads the comments of the packages that belong to p, and not to its libraries.
func newDocs(p *Program) *docs {
	d := &docs{text: map[token.Pos]string{}, directives: map[token.Pos][]directive{}, own: map[*types.Package]bool{}, program: p}
	for _, pkg := range p.own {
		d.own[pkg.Types] = true
		for _, file := range pkg.Syntax {
			d.file(file)
		}
	}
	return d
}

func (d *docs) file(file *ast.File) {
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			d.note(decl.Name, decl.Doc)
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					d.note(spec.Name, cmp.Or(spec.Doc, single(decl), spec.Comment))
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						d.note(name, cmp.Or(spec.Doc, spec.Comment, single(decl)))
					}
				}
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok {
			for _, name := range f.Names {
				d.note(name, cmp.Or(f.Doc, f.Comment))
			}
		}
		return true
	})
}

// single is the comment of a declaration of one name, as in: type User struct.
func single(decl *ast.GenDecl) *ast.CommentGroup {
	if decl.Lparen.IsValid() {
		return nil
	}
	return decl.Doc
}

func (d *docs) note(name *ast.Ident, comment *ast.CommentGroup) {
	if text := comment.Text(); text != "" {
		d.text[name.Pos()] = strings.TrimSpace(text)
	}
	if found := directivesOf(comment); found != nil {
		d.directives[name.Pos()] = found
	}
}

func directivesOf(comment *ast.CommentGroup) (found []directive) {
	if comment == nil {
		return nil
	}
	for _, line := range comment.List {
		if text, ok := strings.CutPrefix(line.Text, "//kkrpc:"); ok {
			found = append(found, directive{line.Pos(), strings.TrimSpace(text)})
		}
	}
	return found
}

func (d *docs) report(pos token.Pos, format string, args ...any) {
	d.problems = append(d.problems, d.program.fail(pos, format, args...))
}

// of is the comment of an object, or empty.
func (d *docs) of(o types.Object) string { return d.text[o.Pos()] }

// isClosed reports whether constants of a type look like all of its values: several texts, or numbers one after the other.
// One constant may be a default, others bits. An unexported one is a value that the list cannot name.
func isClosed(constants []*types.Const) bool {
	var numbers []int64
	for _, c := range constants {
		if !c.Exported() {
			return false
		}
		if n, ok := constant.Int64Val(constant.ToInt(c.Val())); ok && c.Val().Kind() == constant.Int {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	for i, n := range numbers {
		if n != numbers[0]+int64(i) || numbers[0] == 1 && len(numbers) == 2 {
			return false
		}
	}
	return len(constants) > 1
}

// constants are those that the program's own package declares of the type, in the order of the source.
func (d *docs) constants(named *types.Named) []schema.Value {
	pkg := named.Obj().Pkg()
	basic, ok := named.Underlying().(*types.Basic)
	if pkg == nil || !d.own[pkg] || !ok || basic.Info()&(types.IsString|types.IsInteger) == 0 {
		return nil
	}
	var found []*types.Const
	for _, name := range pkg.Scope().Names() {
		if c, ok := pkg.Scope().Lookup(name).(*types.Const); ok && types.Identical(c.Type(), named) {
			found = append(found, c)
		}
	}
	if (goType{named, d}).Form() != schema.Plain || !isClosed(found) {
		return nil
	}
	slices.SortFunc(found, func(a, b *types.Const) int { return cmp.Compare(a.Pos(), b.Pos()) })
	var values []schema.Value
	for _, c := range found {
		text := c.Val().ExactString()
		if c.Val().Kind() == constant.String {
			quoted, err := json.Marshal(constant.StringVal(c.Val()))
			if err != nil {
				continue // no string of Go fails
			}
			text = string(quoted)
		}
		values = append(values, schema.Value{Name: c.Name(), Doc: d.of(c), JSON: text})
	}
	return values
}
