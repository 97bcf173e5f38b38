package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// site is one possible change: the bytes from start to end of file become text.
type site struct {
	pkg        *pkg
	file       string
	line       int
	start, end int
	text       string
	what       string
}

func (s site) String() string {
	name := s.file
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, s.file); err == nil {
			name = rel
		}
	}
	return fmt.Sprintf("%s:%d: %s", name, s.line, s.what)
}

// swaps are the operators that are exchanged. Comparisons move their boundary; negating them is done to whole
// conditions.
var swaps = map[token.Token]token.Token{
	token.EQL: token.NEQ, token.NEQ: token.EQL,
	token.LSS: token.LEQ, token.LEQ: token.LSS,
	token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.LAND: token.LOR, token.LOR: token.LAND,
	token.ADD: token.SUB, token.SUB: token.ADD,
	token.MUL: token.QUO, token.QUO: token.MUL,
	token.AND: token.OR, token.OR: token.AND,
	token.SHL: token.SHR, token.SHR: token.SHL,
	token.INC: token.DEC, token.DEC: token.INC,
	token.ADD_ASSIGN: token.SUB_ASSIGN, token.SUB_ASSIGN: token.ADD_ASSIGN,
	token.BREAK: token.CONTINUE, token.CONTINUE: token.BREAK,
}

func findSites(pkgs []*pkg) ([]site, error) {
	var sites []site
	for _, p := range pkgs {
		for _, name := range p.GoFiles {
			found, err := fileSites(p, filepath.Join(p.Dir, name))
			if err != nil {
				return nil, err
			}
			sites = append(sites, found...)
		}
	}
	return sites, nil
}

func fileSites(p *pkg, name string) ([]site, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	if ast.IsGenerated(f) {
		return nil, nil
	}
	skipped, err := skippedLines(fset, f)
	if err != nil {
		return nil, err
	}
	v := &visitor{pkg: p, fset: fset, file: name, src: src, skipped: skipped}
	ast.Walk(v, f)
	return v.sites, nil
}

// skippedLines are those with a comment //mutate:skip, which must give its reason.
func skippedLines(fset *token.FileSet, f *ast.File) (map[int]bool, error) {
	lines := map[int]bool{}
	for _, group := range f.Comments {
		for _, c := range group.List {
			reason, ok := strings.CutPrefix(c.Text, "//mutate:skip")
			if !ok {
				continue
			}
			pos := fset.Position(c.Pos())
			if strings.TrimSpace(reason) == "" {
				return nil, fmt.Errorf("%s: //mutate:skip without a reason", pos)
			}
			lines[pos.Line] = true
		}
	}
	return lines, nil
}

type visitor struct {
	pkg     *pkg
	fset    *token.FileSet
	file    string
	src     []byte
	skipped map[int]bool
	sites   []site
}

func (v *visitor) Visit(n ast.Node) ast.Visitor {
	switch n := n.(type) {
	case *ast.ImportSpec:
		return nil
	case *ast.BinaryExpr:
		if isString(n.X) || isString(n.Y) {
			break // + on strings has no opposite
		}
		v.swap(n.OpPos, n.Op)
	case *ast.AssignStmt:
		v.swap(n.TokPos, n.Tok)
	case *ast.IncDecStmt:
		v.swap(n.TokPos, n.Tok)
	case *ast.BranchStmt:
		if n.Label == nil {
			v.swap(n.TokPos, n.Tok)
		}
	case *ast.IfStmt:
		v.negate(n.Cond)
	case *ast.ForStmt:
		if n.Cond != nil {
			v.negate(n.Cond)
		}
	case *ast.ExprStmt:
		v.add(n.Pos(), n.End(), "{}", "removed "+v.source(n))
	case *ast.BasicLit:
		if n.Kind == token.INT || n.Kind == token.CHAR {
			v.add(n.Pos(), n.End(), "("+n.Value+"+1)", n.Value+" + 1")
		}
	case *ast.Ident:
		switch n.Name {
		case "true":
			v.add(n.Pos(), n.End(), "false", "true became false")
		case "false":
			v.add(n.Pos(), n.End(), "true", "false became true")
		}
	}
	return v
}

func (v *visitor) swap(at token.Pos, op token.Token) {
	if to, ok := swaps[op]; ok {
		v.add(at, at+token.Pos(len(op.String())), to.String(), op.String()+" became "+to.String())
	}
}

func (v *visitor) negate(cond ast.Expr) {
	text := v.source(cond)
	v.add(cond.Pos(), cond.End(), "!("+text+")", "negated "+text)
}

func (v *visitor) add(from, to token.Pos, text, what string) {
	start, end := v.fset.Position(from), v.fset.Position(to)
	if v.skipped[start.Line] || v.skipped[end.Line] {
		return
	}
	what = strings.Join(strings.Fields(what), " ")
	if r := []rune(what); len(r) > 90 {
		what = string(r[:90]) + "…"
	}
	v.sites = append(v.sites, site{pkg: v.pkg, file: v.file, line: start.Line, start: start.Offset, end: end.Offset, text: text, what: what})
}

func (v *visitor) source(n ast.Node) string {
	return string(v.src[v.fset.Position(n.Pos()).Offset:v.fset.Position(n.End()).Offset])
}

func isString(e ast.Expr) bool {
	lit, ok := e.(*ast.BasicLit)
	return ok && lit.Kind == token.STRING
}
