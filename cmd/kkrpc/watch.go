package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/source"
)

// An editor writes a file in several steps, and often several files. A change is told when nothing has happened for
// quiet, and at the latest after mostQuiet.
const (
	quiet     = 25 * time.Millisecond
	mostQuiet = 250 * time.Millisecond
)

// watcher tells when the source of a program has changed.
type watcher struct {
	// changed gets the time of the first change since it was read. It holds one.
	changed chan time.Time
	// problems gets why a new folder is not watched. It holds one; further ones are lost.
	problems chan error
	trees    chan *source.Tree // where the source lies now; unbuffered
	done     chan struct{}     // closed when run has ended

	// Owned by run.
	notify  *fsnotify.Watcher
	tree    *source.Tree
	except  string // the file that kkrpc dev writes
	folders map[string]bool
}

// watch begins to watch a tree, but for the file except. Close ends it.
func watch(tree *source.Tree, except string) (*watcher, error) {
	w, err := newWatcher(tree, except)
	if err == nil {
		go w.run() // ends with Close
	}
	return w, err
}

func newWatcher(tree *source.Tree, except string) (*watcher, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	w := &watcher{
		changed: make(chan time.Time, 1), problems: make(chan error, 1), trees: make(chan *source.Tree), done: make(chan struct{}),
		notify: notify, except: except, folders: map[string]bool{},
	}
	if err := w.follow(tree); err != nil {
		return nil, errors.Join(err, notify.Close())
	}
	if tree.Module != "" {
		if _, err := w.addAll(tree.Module); err != nil {
			return nil, errors.Join(err, notify.Close())
		}
	}
	return w, nil
}

// Close ends the watcher and waits until it has ended.
func (w *watcher) Close() error {
	err := w.notify.Close()
	<-w.done
	return err
}

func (w *watcher) run() {
	defer close(w.done)
	var first time.Time // of the changes that were not told; zero for none
	timer := time.NewTimer(0)
	<-timer.C
	for {
		changed := false
		select {
		case event, open := <-w.notify.Events:
			if !open {
				return
			}
			changed = w.concerns(event)
		case _, open := <-w.notify.Errors: // changes were lost
			if !open {
				return
			}
			changed = true
		case tree := <-w.trees:
			w.tell(w.follow(tree))
		case <-timer.C:
			select {
			case w.changed <- first:
			default: // nobody has seen the one before yet
			}
			first = time.Time{}
		}
		if changed {
			if first.IsZero() {
				first = time.Now()
			}
			timer.Reset(min(quiet, time.Until(first.Add(mostQuiet))))
		}
	}
}

// follow adds the folders that a tree has more.
func (w *watcher) follow(tree *source.Tree) error {
	w.tree = tree
	for _, folder := range tree.Folders {
		if err := w.add(folder); err != nil {
			return err
		}
	}
	return nil
}

// concerns reports whether the program may have changed. It adds new folders.
func (w *watcher) concerns(event fsnotify.Event) bool {
	switch name := event.Name; {
	case event.Op == fsnotify.Chmod, name == w.except:
		return false
	case w.folders[name] && event.Op&(fsnotify.Remove|fsnotify.Rename) != 0:
		delete(w.folders, name)
		return true
	case event.Has(fsnotify.Create) && isDir(name):
		if source.Skips(filepath.Base(name)) {
			return false
		}
		has, err := w.addAll(name)
		w.tell(err)
		return has
	default:
		return w.tree.Has(name)
	}
}

func (w *watcher) tell(err error) {
	if err == nil {
		return
	}
	select {
	case w.problems <- err:
	default:
	}
}

func isDir(name string) bool {
	info, err := os.Lstat(name)
	return err == nil && info.IsDir()
}

// addAll adds a folder and those in it, but for those where no package of the module is. has reports that one has a file
// of the program.
func (w *watcher) addAll(root string) (has bool, err error) {
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !entry.IsDir():
			has = has || name != w.except && w.tree.Has(name)
			return nil
		case name != root && (source.Skips(entry.Name()) || isModule(name)):
			return fs.SkipDir
		}
		return w.add(name)
	})
	return has, err
}

func isModule(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil
}

func (w *watcher) add(folder string) error {
	if w.folders[folder] {
		return nil
	}
	err := w.notify.Add(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // it has gone already
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("watch %s: the system watches no more folders: raise fs.inotify.max_user_watches by sysctl", folder)
	case err != nil:
		return fmt.Errorf("watch %s: %w", folder, err)
	}
	w.folders[folder] = true
	return nil
}
