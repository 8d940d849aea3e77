package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

const (
	// The shortest that Tessera's driver for file systems allows.
	checkpointInterval = 100 * time.Millisecond
	// How long a prover waits before it looks for a newer checkpoint.
	lookAgain = 5 * time.Millisecond
)

type measured struct {
	Entries int `json:"entries"`
	// Until the last entry was on the disk and in the tree.
	AppendedS float64 `json:"appended_s"`
	// Until the last proof of inclusion in a published checkpoint was checked.
	ProvedS float64 `json:"proved_s"`
	// Computing time in between.
	CPUS float64 `json:"cpu_s"`
}

// measure appends the lines of a file to a new log by Tessera's driver for file systems, in batches of which each begins when
// the one before is on the disk, and proves each entry out of the log's files as soon as a checkpoint that covers it is published.
func measure(ctx context.Context, dir, logKey, logVerifier, path string, batch int) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	entries := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	signer, err := note.NewSigner(logKey)
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(logVerifier)
	if err != nil {
		return err
	}
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		return err
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithBatching(uint(batch), time.Second).
		WithCheckpointInterval(checkpointInterval)
	appender, shutdown, _, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return err
	}
	began, computed := time.Now(), cpuS()
	proved := make(chan error, 1)
	go func() { proved <- proveAll(ctx, dir, verifier, entries) }()
	if err := appendAll(ctx, appender, entries, batch); err != nil {
		return err
	}
	appendedS := time.Since(began).Seconds()
	if err := <-proved; err != nil {
		return err
	}
	found := measured{
		Entries: len(entries), AppendedS: appendedS, ProvedS: time.Since(began).Seconds(), CPUS: cpuS() - computed,
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		return err
	}
	return shutdown(ctx)
}

func appendAll(ctx context.Context, appender *tessera.Appender, entries [][]byte, batch int) error {
	for at := 0; at < len(entries); at += batch {
		var futures []tessera.IndexFuture
		for _, entry := range entries[at:min(at+batch, len(entries))] {
			futures = append(futures, appender.Add(ctx, tessera.NewEntry(entry)))
		}
		for number, future := range futures {
			index, err := future()
			if err != nil {
				return err
			}
			if index.Index != uint64(at+number) {
				return fmt.Errorf("entry %d has index %d", at+number, index.Index)
			}
		}
	}
	return nil
}

func proveAll(ctx context.Context, dir string, verifier note.Verifier, entries [][]byte) error {
	files := client.FileFetcher{Root: dir}
	var seen []byte
	for next := 0; next < len(entries); {
		data, err := files.ReadCheckpoint(ctx)
		if err != nil {
			return err
		}
		if bytes.Equal(data, seen) {
			time.Sleep(lookAgain)
			continue
		}
		seen = data
		checkpoint, _, _, err := log.ParseCheckpoint(data, verifier.Name(), verifier)
		if err != nil {
			return err
		}
		builder, err := client.NewProofBuilder(ctx, checkpoint.Size, files.ReadTile)
		if err != nil {
			return err
		}
		for ; next < int(checkpoint.Size); next++ {
			inclusion, err := builder.InclusionProof(ctx, uint64(next))
			if err != nil {
				return fmt.Errorf("inclusion of %d: %w", next, err)
			}
			leaf := rfc6962.DefaultHasher.HashLeaf(entries[next])
			if err := proof.VerifyInclusion(
				rfc6962.DefaultHasher, uint64(next), checkpoint.Size, leaf, inclusion, checkpoint.Hash,
			); err != nil {
				return fmt.Errorf("inclusion of %d: %w", next, err)
			}
		}
	}
	return nil
}

func cpuS() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}
