/**
 * Does who reads strictly see all that was committed before? (Invariant 5)
 *
 * Versions of a series only grow, so its reads are in an order with its commits if each is of a version that stood at
 * some moment while it was asked: no earlier than the newest that was stored when it began. What has not been stored
 * by its end nobody can be told: that a version is one there was is judged with all other answers.
 */
import type { Operation } from "../History.ts"
import type { RunRecord } from "../RunRecord.ts"
import { strictRead } from "../StrictReads.ts"
import { answerOf } from "./checkReads.ts"

/** Strict reads that were told less than stood when they began, and those that fail though nothing is wrong. */
export const checkStrict = (operations: ReadonlyArray<Operation>, { roots }: Pick<RunRecord, "roots">) =>
  operations.flatMap((operation): ReadonlyArray<string> => {
    if (operation.what !== strictRead) return []
    const { about, id, invokedAtMs, outcome } = operation
    const name = `strict read ${id} of ${about}`
    if (id.startsWith("strictLast") && outcome !== "ok") return [`at the end, ${name} gives ${outcome}`]
    const answer = answerOf(operation)
    if (answer === undefined || !("meta" in answer.result)) return []
    const { coverageVersion } = answer.result.meta
    const stood = roots.reduce(
      (newest, { atMs, node, root }) =>
        node === answer.node && atMs < invokedAtMs ? Math.max(newest, root.version) : newest,
      0
    )
    return coverageVersion < stood ? [`${name}: version ${coverageVersion}, and ${stood} stood when it began`] : []
  })
