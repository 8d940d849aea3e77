package main

import (
	"encoding/json"
	"fmt"
	"os"

	cosignote "github.com/transparency-dev/formats/note"
	tlogproof "github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/transparency-dev/formats/log"
)

type examples struct {
	Sizes       []int64              `json:"sizes"`
	Roots       []tlog.Hash          `json:"roots"`
	Inclusion   []inclusionExample   `json:"inclusion"`
	Consistency []consistencyExample `json:"consistency"`
	Checkpoint  string               `json:"checkpoint"`
	ProofFile   string               `json:"proof_file"`
}

type inclusionExample struct {
	Index int64            `json:"index"`
	Size  int64            `json:"size"`
	Proof tlog.RecordProof `json:"proof"`
}

type consistencyExample struct {
	OldSize int64          `json:"old_size"`
	Size    int64          `json:"size"`
	Proof   tlog.TreeProof `json:"proof"`
}

// writeExamples writes what Go says of the tree of "entry 0", "entry 1" … at several sizes, and a checkpoint of the largest.
func writeExamples(logKey, witnessKey string) error {
	made := examples{Sizes: []int64{1, 2, 3, 7, 255, 256, 257, 600}}
	var stored []tlog.Hash
	hashes := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var read []tlog.Hash
		for _, index := range indexes {
			read = append(read, stored[index])
		}
		return read, nil
	})
	largest := made.Sizes[len(made.Sizes)-1]
	for number := int64(0); number < largest; number++ {
		more, err := tlog.StoredHashes(number, []byte(fmt.Sprintf("entry %d", number)), hashes)
		if err != nil {
			return err
		}
		stored = append(stored, more...)
	}
	for _, size := range made.Sizes {
		root, err := tlog.TreeHash(size, hashes)
		if err != nil {
			return err
		}
		made.Roots = append(made.Roots, root)
		for _, index := range []int64{0, size / 3, size - 1} {
			proof, err := tlog.ProveRecord(size, index, hashes)
			if err != nil {
				return err
			}
			made.Inclusion = append(made.Inclusion, inclusionExample{index, size, proof})
			consistency, err := tlog.ProveTree(size, index+1, hashes)
			if err != nil {
				return err
			}
			made.Consistency = append(made.Consistency, consistencyExample{index + 1, size, consistency})
		}
	}
	if err := made.sign(logKey, witnessKey, largest); err != nil {
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	return encoder.Encode(made)
}

func (made *examples) sign(logKey, witnessKey string, size int64) error {
	signer, err := note.NewSigner(logKey)
	if err != nil {
		return err
	}
	witness, err := cosignote.NewSignerForCosignatureV1(witnessKey)
	if err != nil {
		return err
	}
	root := made.Roots[len(made.Roots)-1]
	checkpoint := log.Checkpoint{Origin: signer.Name(), Size: uint64(size), Hash: root[:]}
	signed, err := note.Sign(&note.Note{Text: string(checkpoint.Marshal())}, signer, witness)
	if err != nil {
		return err
	}
	last := made.Inclusion[len(made.Inclusion)-1]
	proof := tlogproof.TLogProof{Index: uint64(last.Index), Checkpoint: signed, ExtraData: []byte("extra")}
	for _, hash := range last.Proof {
		proof.Hashes = append(proof.Hashes, hash)
	}
	made.Checkpoint, made.ProofFile = string(signed), string(proof.Marshal())
	return nil
}
