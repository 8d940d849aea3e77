package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/transparency-dev/formats/log"
	cosignote "github.com/transparency-dev/formats/note"
	tlogproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// check reads a whole log: its checkpoint and cosignatures, every entry and tile (Tessera's fsck), and proofs that Go's
// own tlog makes from the tiles, for every hundredth entry and size.
func check(ctx context.Context, dir, logKey string, witnessKeys []string) error {
	checkpoint, err := openCheckpoint(filepath.Join(dir, "checkpoint"), logKey, witnessKeys)
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(logKey)
	if err != nil {
		return err
	}
	files := client.FileFetcher{Root: dir}
	if err := fsck.New(verifier.Name(), verifier, files, hashBundle, fsck.Opts{N: 2}).Check(ctx); err != nil {
		return fmt.Errorf("fsck: %w", err)
	}
	if checkpoint.Size > 0 {
		if err := checkTree(tlog.Tree{N: int64(checkpoint.Size), Hash: tlog.Hash(checkpoint.Hash)}, dir); err != nil {
			return err
		}
	}
	fmt.Printf("good: %d entries, %d witnesses\n", checkpoint.Size, len(witnessKeys))
	return nil
}

func openCheckpoint(path, logKey string, witnessKeys []string) (*log.Checkpoint, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(logKey)
	if err != nil {
		return nil, err
	}
	var witnesses []note.Verifier
	for _, key := range witnessKeys {
		witness, err := cosignote.NewVerifierForCosignatureV1(key)
		if err != nil {
			return nil, err
		}
		witnesses = append(witnesses, witness)
	}
	checkpoint, _, opened, err := log.ParseCheckpoint(data, verifier.Name(), verifier, witnesses...)
	if err != nil {
		return nil, err
	}
	if len(opened.Sigs) != 1+len(witnesses) || len(opened.UnverifiedSigs) != 0 {
		return nil, fmt.Errorf("%d signatures are right, %d unknown", len(opened.Sigs), len(opened.UnverifiedSigs))
	}
	return checkpoint, nil
}

func hashBundle(data []byte) ([][]byte, error) {
	var bundle api.EntryBundle
	if err := bundle.UnmarshalText(data); err != nil {
		return nil, err
	}
	var hashes [][]byte
	for _, entry := range bundle.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

func checkTree(tree tlog.Tree, dir string) error {
	hashes := tlog.TileHashReader(tree, tileReader{dir})
	for index := int64(0); index < tree.N; index += 1 + index%100 {
		leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return fmt.Errorf("leaf %d: %w", index, err)
		}
		inclusion, err := tlog.ProveRecord(tree.N, index, hashes)
		if err != nil {
			return fmt.Errorf("inclusion of %d: %w", index, err)
		}
		if err := tlog.CheckRecord(inclusion, tree.N, tree.Hash, index, leaf[0]); err != nil {
			return fmt.Errorf("inclusion of %d: %w", index, err)
		}
		root, err := tlog.TreeHash(index+1, hashes)
		if err != nil {
			return fmt.Errorf("root of %d: %w", index+1, err)
		}
		consistency, err := tlog.ProveTree(tree.N, index+1, hashes)
		if err != nil {
			return fmt.Errorf("consistency with %d: %w", index+1, err)
		}
		if err := tlog.CheckTree(consistency, tree.N, tree.Hash, index+1, root); err != nil {
			return fmt.Errorf("consistency with %d: %w", index+1, err)
		}
	}
	return nil
}

// tileReader reads tiles for Go's tlog, whose paths name the height of tiles before their level.
type tileReader struct{ dir string }

func (tileReader) Height() int                     { return 8 }
func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range tiles {
		path := filepath.Join(r.dir, "tile", strings.TrimPrefix(tile.Path(), "tile/8/"))
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		read = append(read, data)
	}
	return read, nil
}

type consistency struct {
	OldSize uint64   `json:"old_size"`
	Size    uint64   `json:"size"`
	OldRoot []byte   `json:"old_root"`
	Root    []byte   `json:"root"`
	Proof   [][]byte `json:"proof"`
}

// checkProofs checks every NAME.tlog-proof of a directory for the entry in NAME.entry, and what consistency.json holds.
func checkProofs(dir, logKey string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*.tlog-proof"))
	if err != nil || len(paths) == 0 {
		return fmt.Errorf("no proofs in %s: %v", dir, err)
	}
	for _, path := range paths {
		if err := checkProofFile(path, logKey); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "consistency.json"))
	if err != nil {
		return err
	}
	var all []consistency
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	for _, one := range all {
		err := proof.VerifyConsistency(rfc6962.DefaultHasher, one.OldSize, one.Size, one.Proof, one.OldRoot, one.Root)
		if err != nil {
			return fmt.Errorf("consistency of %d with %d: %w", one.Size, one.OldSize, err)
		}
	}
	fmt.Printf("good: %d inclusion proofs, %d consistency proofs\n", len(paths), len(all))
	return nil
}

func checkProofFile(path, logKey string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	entry, err := os.ReadFile(strings.TrimSuffix(path, ".tlog-proof") + ".entry")
	if err != nil {
		return err
	}
	var read tlogproof.TLogProof
	if err := read.Unmarshal(data); err != nil {
		return err
	}
	if string(read.Marshal()) != string(data) {
		return fmt.Errorf("written in another way")
	}
	verifier, err := note.NewVerifier(logKey)
	if err != nil {
		return err
	}
	checkpoint, _, _, err := log.ParseCheckpoint(read.Checkpoint, verifier.Name(), verifier)
	if err != nil {
		return err
	}
	var hashes [][]byte
	for _, hash := range read.Hashes {
		hashes = append(hashes, hash[:])
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(entry)
	return proof.VerifyInclusion(rfc6962.DefaultHasher, read.Index, checkpoint.Size, leaf, hashes, checkpoint.Hash)
}
