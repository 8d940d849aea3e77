// Command interop holds logs of zhibu_tlog against implementations that know nothing of it, and the other way round.
//
//	interop check DIRECTORY LOG_VKEY [WITNESS_VKEY…]   checks a log in a directory
//	interop proofs DIRECTORY LOG_VKEY                   checks proofs that zhibu_tlog made
//	interop make DIRECTORY LOG_SKEY COUNT [POLICY]      makes a log with Tessera, cosigned as a policy file says
//	interop examples LOG_SKEY WITNESS_SKEY              writes examples for zhibu_tlog as JSON
//	interop measure DIRECTORY LOG_SKEY LOG_VKEY FILE BATCH
//	                                                    appends the lines of a file with Tessera, proves each, says how long
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) >= 3 && args[0] == "check":
		return check(ctx, args[1], args[2], args[3:])
	case len(args) == 3 && args[0] == "proofs":
		return checkProofs(args[1], args[2])
	case (len(args) == 4 || len(args) == 5) && args[0] == "make":
		count, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		policy := ""
		if len(args) == 5 {
			policy = args[4]
		}
		return makeLog(ctx, args[1], args[2], count, policy)
	case len(args) == 3 && args[0] == "examples":
		return writeExamples(args[1], args[2])
	case len(args) == 6 && args[0] == "measure":
		batch, err := strconv.Atoi(args[5])
		if err != nil {
			return err
		}
		return measure(ctx, args[1], args[2], args[3], args[4], batch)
	}
	return fmt.Errorf("usage: interop check|proofs|make|examples|measure …")
}
