/**
 * Which seed has found each mutant?
 *
 * It is tried first, so that looking for all mutants takes seconds. What a seed means changes with the code: where it
 * finds the mutant no longer, others are tried, and the one that does belongs here.
 */

/** Seeds by the names of mutants. */
export const mutantSeeds: Readonly<Record<string, number>> = {
  "skip-cas": 1,
  "forget-nonce": 1,
  "storm-after-outage": 13,
  "renew-by-ack": 64,
  "release-without-epoch": 1,
  "outbid-stale": 12,
  "bury-early": 32,
  "same-epoch": 1,
  "commit-before-chunk": 1,
  "complete-without-fence": 12,
  "reopen-same-run": 1,
  "cover-truncated": 34,
  "lose-coverage": 1,
  "start-late": 1,
  "forget-ledger": 4,
  "forget-timers": 3,
  "steal-lease": 1,
  "settle-early": 4,
  "ignore-min-version": 1415,
  "never-send": 8,
  "forget-to-save-ledger": 4,
  "peek-out-of-touch": 32,
  "audit-never": 1,
  "same-version-again": 48,
  "hand-over-at-once": 267,
  "deny-the-first-bars": 1,
  "disobey-quarantine": 1,
  "count-no-failure": 1,
  "forgive-failures": 1,
  "forget-what-is-owed": 44,
  "same-generation": 11,
  "come-back-by-itself": 1,
  "skip-and-ask-again": 7,
  "full-after-failover": 43,
  "forget-under-way": 185,
  "spend-unsaved": 266,
  "serve-the-urgent-alone": 3,
  "go-on-while-paused": 70,
  "done-too-soon": 3
}
