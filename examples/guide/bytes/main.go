package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// Files are those in one folder.
type Files struct{ root *os.Root }

// Save writes a file of the caller.
func (f *Files) Save(name string, content io.Reader) (size int64, err error) {
	file, err := f.root.Create(name)
	if err != nil {
		return 0, err
	}
	size, err = io.Copy(file, content)
	return size, errors.Join(err, file.Close())
}

// Open reads a file. The stream closes it.
func (f *Files) Open(name string) (io.ReadCloser, error) { return f.root.Open(name) }

// Export writes a table as CSV, row by row as the caller reads.
func (f *Files) Export(table string, w io.Writer) error {
	rows := csv.NewWriter(w)
	for n := 1; ; n++ {
		if err := rows.Write([]string{table, strconv.Itoa(n)}); err != nil {
			fmt.Println("export stopped:", err)
			return err
		}
	}
}

// CopyFrom reads a stream of the client into a file.
func (f *Files) CopyFrom(ctx context.Context, name string) (int64, error) {
	content, err := kkrpc.Call[io.ReadCloser](ctx, kkrpc.FromContext(ctx), "read", name)
	if err != nil {
		return 0, err
	}
	defer content.Close()
	return f.Save(name, content)
}

func main() {
	dir, err := os.MkdirTemp("", "files")
	if err != nil {
		log.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/ws", ws.Handler(&Files{root}, nil))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
