/**
 * Which seeds have found something?
 *
 * They are run first, each time. What a seed means changes whenever the world or the code does, so what was found has a
 * test of its own beside it.
 */

/** A seed, and what it once found. */
export interface Regression {
  readonly seed: number
  readonly found: string
}

/** All of them. */
export const regressions: ReadonlyArray<Regression> = [
  { seed: 211, found: "readers waited for ever for a revision that storage had lost" },
  { seed: 832, found: "a host whose renewals went unanswered took live hosts for dead" },
  { seed: 61, found: "messages sent on and on between two hosts, of which one was in doubt about its slot" },
  { seed: 172, found: "a save upon a revision that storage had lost was tried for twelve seconds" },
  { seed: 1016, found: "slots whose records storage had lost, and not those of their actors, were outbid for ever" },
  { seed: 1481, found: "a slot that could not be given back was tried sixty times a second" },
  { seed: 809, found: "time that could not be had by a root that storage had lost was never asked for again" },
  { seed: 21, found: "a drain that ended while an actor's last save was still under way" },
  { seed: 960, found: "a gap in the audit stream that was told of because an old answer was taken for the last entry" },
  { seed: 2, found: "the next run of a window that failed forgot what others than its opener had wanted" },
  { seed: 8, found: "readers who were told 'not filled yet' of a window that waits for a person" },
  { seed: 551, found: "a job whose opening went unanswered, and that nobody looked after" },
  { seed: 212, found: "bars that settled while jobs were turned off were never asked for again" },
  { seed: 746, found: "a gap in the audit stream that was told of though the second look found no gap" },
  { seed: 1019, found: "an operator who was told that a history is broken because the root that was read was old" },
  { seed: 926, found: "an owner that was frozen at its start, and took what its successor had added for a loss" },
  { seed: 49, found: "a job that was forgotten because one that had been the leader did not know it yet" }
]
