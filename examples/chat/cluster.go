package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/kkrpc-go/kkrpc/adapter/kknats"
	"github.com/kkrpc-go/kkrpc/adapter/kknats/embedded"
	"github.com/kkrpc-go/kkrpc/rooms"

	"github.com/kkrpc-go/kkrpc/examples/chat/signin"
)

const (
	clusterHistory = 10_000          // messages of each room
	clusterStart   = 5 * time.Minute // how long the first process waits for the others
)

// joinCluster starts a NATS server in this process, which keeps messages together with those of the other processes. A message is
// stored when two of three have it. end leaves the cluster.
func joinCluster(ctx context.Context, cfg *config, key signin.Key, logger *slog.Logger) (backplane rooms.Backplane, end func() error, err error) {
	secret := hmac.New(sha256.New, key) // the processes know each other by the key of the chat
	secret.Write([]byte("cluster"))
	server, err := embedded.Start(&embedded.Options{
		Store:  filepath.Join(cfg.dir, fmt.Sprint("node-", cfg.cluster)),
		Listen: cfg.nodes[cfg.cluster-1],
		Nodes:  cfg.nodes,
		Secret: hex.EncodeToString(secret.Sum(nil)),
		Log:    natsLog{logger.With("from", "nats")},
	})
	if err != nil {
		return nil, nil, err
	}
	logger.Info("waiting for the other processes of the cluster", "nodes", cfg.nodes)
	backplane, err = server.Connect(ctx, &kknats.Options{History: clusterHistory, Start: clusterStart})
	if err != nil {
		server.Shutdown()
		return nil, nil, err
	}
	return backplane, func() error {
		err := backplane.Close()
		server.Shutdown()
		return err
	}, nil
}

// natsLog logs what is wrong with the server. It warns of what ends by itself, such as that another process is not there yet.
type natsLog struct{ *slog.Logger }

func (l natsLog) Noticef(string, ...any) {}
func (l natsLog) Debugf(string, ...any)  {}
func (l natsLog) Tracef(string, ...any)  {}

func (l natsLog) Warnf(format string, args ...any)  { l.Debug(fmt.Sprintf(format, args...)) }
func (l natsLog) Errorf(format string, args ...any) { l.Warn(fmt.Sprintf(format, args...)) }
func (l natsLog) Fatalf(format string, args ...any) { l.Error(fmt.Sprintf(format, args...)) }
