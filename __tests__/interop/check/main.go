// Checks logs, proofs and cosignatures of the ledger with the libraries of other authors: golang.org/x/mod/sumdb (the
// Go checksum database), transparency-dev/merkle, transparency-dev/formats and transparency-dev/tessera, whose fsck is
// the checker of tlog-tiles logs. Nothing here computes a hash or reads a format by itself, so agreement means something.
//
// Each command ends with 0 when all is right, and else with 1 and the reason.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	fproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var ctx = context.Background()

type command struct {
	usage string
	run   func(args []string) error
}

var commands = map[string]command{
	"log":         {"DIR VKEY", checkLog},
	"sumdb":       {"DIR VKEY", checkSumdb},
	"prove":       {"DIR SIZE [INDEX | OLD-INDEX]...", prove},
	"consistency": {"OLD-CHECKPOINT NEW-CHECKPOINT PROOF VKEY", checkConsistency},
	"proof":       {"PROOF ENTRY VKEY [WITNESS-VKEY]...", checkProof},
	"cosigned":    {"CHECKPOINT VKEY WITNESS-VKEY...", checkCosigned},
	"cosign":      {"CHECKPOINT NAME", cosign},
	"submit":      {"URL DIR OLD-SIZE VKEY WITNESS-VKEY", submit},
}

func main() {
	if len(os.Args) < 2 {
		fail(errors.New("name a command"))
	}
	chosen, ok := commands[os.Args[1]]
	if !ok {
		fail(fmt.Errorf("there is no command %q", os.Args[1]))
	}
	if len(os.Args)-2 < strings.Count(strings.Split(chosen.usage, " [")[0], " ")+1 {
		fail(fmt.Errorf("usage: %s %s", os.Args[1], chosen.usage))
	}
	if err := chosen.run(os.Args[2:]); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// checkLog lets tessera's fsck derive every tile, and the root, from the entry bundles alone.
func checkLog(args []string) error {
	verifier, err := fnote.NewVerifier(args[1])
	if err != nil {
		return err
	}
	folder := client.FileFetcher{Root: args[0]}
	return fsck.New(verifier.Name(), verifier, folder, bundleLeaves, fsck.Opts{N: 2}).Check(ctx)
}

func bundleLeaves(data []byte) ([][]byte, error) {
	bundle := api.EntryBundle{}
	if err := bundle.UnmarshalText(data); err != nil {
		return nil, err
	}
	leaves := make([][]byte, 0, len(bundle.Entries))
	for _, entry := range bundle.Entries {
		leaves = append(leaves, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return leaves, nil
}

// tileFolder lets the Go checksum database's code read our tiles: it has the same ones, under paths that name the height.
type tileFolder struct{ root string }

func (tileFolder) Height() int { return 8 }

func (folder tileFolder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		data, err := os.ReadFile(filepath.Join(folder.root, path))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func (tileFolder) SaveTiles([]tlog.Tile, [][]byte) {}

// checkSumdb opens the checkpoint with sumdb/note, and reads every leaf through sumdb/tlog, which authenticates each tile.
func checkSumdb(args []string) error {
	tree, err := openTree(filepath.Join(args[0], "checkpoint"), args[1])
	if err != nil || tree.N == 0 {
		return err
	}
	hashes := tlog.TileHashReader(tree, tileFolder{args[0]})
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("the tiles have root %v, the checkpoint %v", root, tree.Hash)
	}
	folder := client.FileFetcher{Root: args[0]}
	for index := int64(0); index*256 < tree.N; index++ {
		bundle, err := client.GetEntryBundle(ctx, folder.ReadEntryBundle, uint64(index), uint64(tree.N))
		if err != nil {
			return err
		}
		var stored []int64
		for entry := range bundle.Entries {
			stored = append(stored, tlog.StoredHashIndex(0, index*256+int64(entry)))
		}
		leaves, err := hashes.ReadHashes(stored)
		if err != nil {
			return err
		}
		for entry, data := range bundle.Entries {
			if tlog.RecordHash(data) != leaves[entry] {
				return fmt.Errorf("entry %d is not the leaf of its tile", index*256+int64(entry))
			}
		}
	}
	return nil
}

func openTree(file string, vkey string) (tlog.Tree, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return tlog.Tree{}, err
	}
	checkpoint, err := openCheckpoint(raw, vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	return tlog.Tree{N: int64(checkpoint.Size), Hash: tlog.Hash(checkpoint.Hash)}, nil
}

// openCheckpoint opens with sumdb/note alone where its own keys do (Ed25519), and with the verifiers of transparency-dev/formats.
func openCheckpoint(raw []byte, vkey string, witnesses ...string) (*log.Checkpoint, error) {
	verifier, err := fnote.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	if plain, err := note.NewVerifier(vkey); err == nil {
		if _, err := note.Open(raw, note.VerifierList(plain)); err != nil {
			return nil, err
		}
	}
	var cosigners []note.Verifier
	for _, witness := range witnesses {
		cosigner, err := fnote.NewVerifierForCosignatureV1(witness)
		if err != nil {
			return nil, err
		}
		cosigners = append(cosigners, cosigner)
	}
	checkpoint, rest, opened, err := log.ParseCheckpoint(raw, verifier.Name(), verifier, cosigners...)
	if err != nil {
		return nil, err
	}
	if len(rest) != 0 {
		return nil, fmt.Errorf("the checkpoint has extension lines: %q", rest)
	}
	if len(checkpoint.Hash) != tlog.HashSize {
		return nil, fmt.Errorf("the root has %d bytes", len(checkpoint.Hash))
	}
	if len(opened.Sigs) != 1+len(cosigners) {
		return nil, fmt.Errorf("%d of %d signatures are there", len(opened.Sigs), 1+len(cosigners))
	}
	return checkpoint, nil
}

// prove prints, as JSON, the inclusion proof of each index and the consistency proof from each old size (`-` before it).
func prove(args []string) error {
	size, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	builder, err := client.NewProofBuilder(ctx, size, client.FileFetcher{Root: args[0]}.ReadTile)
	if err != nil {
		return err
	}
	proofs := map[string][][]byte{}
	for _, word := range args[2:] {
		number, err := strconv.ParseUint(strings.TrimPrefix(word, "-"), 10, 64)
		if err != nil {
			return err
		}
		if strings.HasPrefix(word, "-") {
			proofs[word], err = builder.ConsistencyProof(ctx, number, size)
		} else {
			proofs[word], err = builder.InclusionProof(ctx, number)
		}
		if err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(proofs)
}

func checkConsistency(args []string) error {
	older, err := openTree(args[0], args[3])
	if err != nil {
		return err
	}
	newer, err := openTree(args[1], args[3])
	if err != nil {
		return err
	}
	text, err := os.ReadFile(args[2])
	if err != nil {
		return err
	}
	var hashes [][]byte
	var treeProof tlog.TreeProof
	for _, line := range strings.Fields(string(text)) {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(hash) != tlog.HashSize {
			return fmt.Errorf("%q is no hash", line)
		}
		hashes = append(hashes, hash)
		treeProof = append(treeProof, tlog.Hash(hash))
	}
	err = proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(older.N), uint64(newer.N), hashes, older.Hash[:], newer.Hash[:])
	if err != nil || older.N == 0 {
		// sumdb/tlog knows no proof from the empty tree.
		return err
	}
	return tlog.CheckTree(treeProof, newer.N, newer.Hash, older.N, older.Hash)
}

func checkProof(args []string) error {
	raw, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	entry, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	var read fproof.TLogProof
	if err := read.Unmarshal(raw); err != nil {
		return err
	}
	if !bytes.Equal(read.Marshal(), raw) {
		return errors.New("written again, the proof has other bytes")
	}
	checkpoint, err := openCheckpoint(read.Checkpoint, args[2], args[3:]...)
	if err != nil {
		return err
	}
	var hashes [][]byte
	var recordProof tlog.RecordProof
	for _, hash := range read.Hashes {
		hashes = append(hashes, hash[:])
		recordProof = append(recordProof, tlog.Hash(hash))
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(entry)
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, read.Index, checkpoint.Size, leaf, hashes, checkpoint.Hash); err != nil {
		return err
	}
	root := tlog.Hash(checkpoint.Hash)
	return tlog.CheckRecord(recordProof, int64(checkpoint.Size), root, int64(read.Index), tlog.RecordHash(entry))
}

func checkCosigned(args []string) error {
	raw, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	_, err = openCheckpoint(raw, args[1], args[2:]...)
	return err
}

// cosign makes a witness of its own, and prints its verifier key and its signature line for the checkpoint.
func cosign(args []string) error {
	raw, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	skey, vkey, err := note.GenerateKey(rand.Reader, args[1])
	if err != nil {
		return err
	}
	signer, err := fnote.NewSignerForCosignatureV1(skey)
	if err != nil {
		return err
	}
	witness, err := fnote.VKeyToCosignatureV1(vkey)
	if err != nil {
		return err
	}
	text := append(raw[:bytes.LastIndex(raw, []byte("\n\n"))], '\n')
	signed, err := note.Sign(&note.Note{Text: string(text)}, signer)
	if err != nil {
		return err
	}
	_, line, _ := strings.Cut(string(signed), "\n\n")
	fmt.Printf("%s\n%s", witness, line)
	return nil
}

// submit asks the witness at the URL for a cosignature, as a log does, with a proof that tessera makes from the tiles.
func submit(args []string) error {
	url, dir, vkey, witness := args[0], args[1], args[3], args[4]
	old, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	checkpoint, err := openCheckpoint(raw, vkey)
	if err != nil {
		return err
	}
	body := bytes.NewBufferString(fmt.Sprintf("old %d\n", old))
	if old > 0 && old < checkpoint.Size {
		builder, err := client.NewProofBuilder(ctx, checkpoint.Size, client.FileFetcher{Root: dir}.ReadTile)
		if err != nil {
			return err
		}
		hashes, err := builder.ConsistencyProof(ctx, old, checkpoint.Size)
		if err != nil {
			return err
		}
		for _, hash := range hashes {
			fmt.Fprintln(body, base64.StdEncoding.EncodeToString(hash))
		}
	}
	fmt.Fprintf(body, "\n%s", raw)
	response, err := http.Post(url+"/add-checkpoint", "text/plain", body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d %s: %s", response.StatusCode, response.Header.Get("Content-Type"), answer)
	}
	_, err = openCheckpoint(append(raw, answer...), vkey, witness)
	return err
}
