/**
 * Which seed has found each mutant?
 *
 * It is tried first, so that looking for all mutants takes seconds. What a seed means changes with the code: where it
 * finds the mutant no longer, others are tried, and the one that does belongs here.
 */

/** Seeds by the names of mutants. */
export const mutantSeeds: Readonly<Record<string, number>> = {
  "forget-nonce": 1,
  "skip-cas": 1,
  "storm-after-outage": 6,
  "release-without-epoch": 3,
  "outbid-stale": 5,
  "renew-by-ack": 54,
  "bury-early": 18,
  "same-epoch": 3,
  "commit-before-chunk": 1,
  "reopen-same-run": 1,
  "complete-without-fence": 16,
  "lose-coverage": 1,
  "cover-truncated": 26,
  "start-late": 3,
  "forget-ledger": 5,
  "forget-timers": 77,
  "steal-lease": 12,
  "ignore-min-version": 664,
  "never-send": 1,
  "settle-early": 18,
  "forget-to-save-ledger": 17,
  "audit-never": 1,
  "peek-out-of-touch": 19,
  "hand-over-at-once": 69,
  "same-version-again": 141,
  "deny-the-first-bars": 1
}
