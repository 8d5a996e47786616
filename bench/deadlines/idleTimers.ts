/**
 * How late is a timer in a process that has nothing else to do?
 *
 * A program: as many timers as there are reads, as many at once, with the same lengths. What they are late by is the
 * machine's own, whoever measures.
 */
import process from "node:process"
import { budgetOf } from "./budgets.ts"
import { inTurns } from "./inTurns.ts"

const [count = 0, atOnce = 1] = process.argv.slice(2).map(Number)

const lateMs: Array<number> = []
process.send?.("ready")
await new Promise((resolve) => void process.once("message", resolve))
await inTurns({ count, atOnce }, async (number) => {
  const budgetMs = budgetOf(number)
  const startedMs = performance.now()
  await new Promise((resolve) => void setTimeout(resolve, budgetMs))
  lateMs.push(performance.now() - startedMs - budgetMs)
})
process.send?.(lateMs, () => process.disconnect())
