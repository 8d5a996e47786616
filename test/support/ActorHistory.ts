/**
 * Did an actor ever have two lives at once, by what was committed for it?
 *
 * Each commit carries the epoch of the activation that made it, the owner that the activation lived on, and the epoch
 * of its slot. Whoever was replaced and still committed shows up as an older epoch after a younger one. The judgement
 * is by order alone: a record that was missed hides nothing but itself.
 */

/** A commit as the bucket recorded it. */
export interface ActorCommit {
  readonly key: string
  /** The revision that the bucket gave it. */
  readonly revision: number
  /** Rises with each activation of the key. */
  readonly epoch: number
  /** Rises each time the key's slot changes hands. */
  readonly slotEpoch: number
  /** The incarnation of the host that the activation lives on. */
  readonly owner: string
  /** What was committed; not judged. */
  readonly value?: unknown
}

/** What is known of a key, up to some commit. */
interface KeyHistory {
  last: ActorCommit
  /** The first with the highest epoch so far. */
  epoch: ActorCommit
  /** The first with the highest slot epoch so far. */
  slotEpoch: ActorCommit
  /** By epoch: the first commit, whose owner it belongs to. */
  readonly epochs: Map<number, ActorCommit>
}

const found = (commit: ActorCommit, what: string): string => `${commit.key} at revision ${commit.revision}: ${what}`

const checkOrder = (commit: ActorCommit, { last }: KeyHistory): ReadonlyArray<string> =>
  commit.revision > last.revision ? [] : [found(commit, `recorded after revision ${last.revision}`)]

const checkRise = (commit: ActorCommit, highest: ActorCommit, field: "epoch" | "slotEpoch"): ReadonlyArray<string> => {
  if (commit[field] >= highest[field]) return []
  const since = `${field} ${highest[field]} of ${highest.owner} since revision ${highest.revision}`
  return [found(commit, `${field} ${commit[field]} of ${commit.owner} after ${since}`)]
}

const checkOwner = (commit: ActorCommit, { epochs }: KeyHistory): ReadonlyArray<string> => {
  const first = epochs.get(commit.epoch)
  if (first === undefined || first.owner === commit.owner) return []
  const since = `${first.owner}'s since revision ${first.revision}`
  return [found(commit, `epoch ${commit.epoch} is ${commit.owner}'s, and ${since}`)]
}

const begin = (commit: ActorCommit): KeyHistory => ({
  last: commit,
  epoch: commit,
  slotEpoch: commit,
  epochs: new Map([[commit.epoch, commit]])
})

const note = (commit: ActorCommit, history: KeyHistory): void => {
  history.last = commit
  if (commit.epoch > history.epoch.epoch) history.epoch = commit
  if (commit.slotEpoch > history.slotEpoch.slotEpoch) history.slotEpoch = commit
  if (!history.epochs.has(commit.epoch)) history.epochs.set(commit.epoch, commit)
}

/**
 * What in a record of commits, in the order of their revisions, cannot be where each key has one life at a time; one
 * line each, empty where all is well. For each key:
 *
 * - No epoch comes after a higher one, however long ago that was;
 * - An epoch has one owner;
 * - No slot epoch comes after a higher one;
 * - Revisions rise: otherwise the record itself is wrong, and nothing follows from it.
 */
export const violations = (commits: ReadonlyArray<ActorCommit>): ReadonlyArray<string> => {
  const histories = new Map<string, KeyHistory>()
  return commits.flatMap((commit) => {
    const history = histories.get(commit.key)
    if (history === undefined) {
      histories.set(commit.key, begin(commit))
      return []
    }
    const broken = [
      ...checkOrder(commit, history),
      ...checkRise(commit, history.epoch, "epoch"),
      ...checkOwner(commit, history),
      ...checkRise(commit, history.slotEpoch, "slotEpoch")
    ]
    note(commit, history)
    return broken
  })
}
