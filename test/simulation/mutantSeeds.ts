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
  "renew-by-ack": 71,
  "release-without-epoch": 1,
  "outbid-stale": 12,
  "bury-early": 218,
  "same-epoch": 1,
  "commit-before-chunk": 1,
  "complete-without-fence": 10,
  "reopen-same-run": 1,
  "cover-truncated": 72,
  "lose-coverage": 1,
  "start-late": 7,
  "forget-ledger": 3,
  "forget-timers": 3,
  "steal-lease": 1,
  "settle-early": 5,
  "never-send": 8,
  "forget-to-save-ledger": 3,
  "peek-out-of-touch": 22,
  "audit-never": 1,
  "same-version-again": 76,
  "hand-over-at-once": 298,
  "deny-the-first-bars": 2,
  "disobey-quarantine": 2,
  "count-no-failure": 1,
  "forgive-failures": 2,
  "forget-what-is-owed": 44,
  "same-generation": 11,
  "come-back-by-itself": 1,
  "skip-and-ask-again": 20,
  "full-after-failover": 43,
  "forget-under-way": 64,
  "spend-unsaved": 185,
  "serve-the-urgent-alone": 3,
  "go-on-while-paused": 70,
  "never-settle": 3,
  "settled-at-once": 3,
  "settle-and-keep": 3,
  "done-too-soon": 3
}
