package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

// makeLog appends entries to a log in a directory with Tessera's driver for file systems, in several batches. With a policy
// file (c2sp.org/tlog-policy) nothing is published before the witnesses have cosigned.
func makeLog(ctx context.Context, dir, logKey string, count int, policy string) error {
	signer, err := note.NewSigner(logKey)
	if err != nil {
		return err
	}
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		return err
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithBatching(100, 50*time.Millisecond).
		WithCheckpointInterval(100 * time.Millisecond)
	if policy != "" {
		data, err := os.ReadFile(policy)
		if err != nil {
			return err
		}
		witnesses, err := tessera.NewWitnessGroupFromPolicy(data)
		if err != nil {
			return err
		}
		options = options.WithWitnesses(witnesses, &tessera.WitnessOptions{Timeout: 10 * time.Second})
	}
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return err
	}
	published := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 50*time.Millisecond)
	var futures []tessera.IndexFuture
	for number := range count {
		futures = append(futures, appender.Add(ctx, tessera.NewEntry([]byte(fmt.Sprintf("entry %d", number)))))
		if number == count/2 {
			if _, _, err := published.Await(ctx, futures[number]); err != nil {
				return err
			}
		}
	}
	for _, future := range futures {
		if _, _, err := published.Await(ctx, future); err != nil {
			return err
		}
	}
	return shutdown(ctx)
}
