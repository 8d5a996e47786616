/**
 * What does one process of a simulation do?
 *
 * Runs seed after seed, and prints one line of JSON for each: its arguments are the first seed, how many, and whether
 * to stop at the first that has a problem.
 */
import process from "node:process"
import { runSeed } from "./runSeed.ts"

const [from = "1", count = "1", stops = "false", traced = "false"] = process.argv.slice(2)

for (let seed = Number(from); seed < Number(from) + Number(count); seed++) {
  const before = process.cpuUsage()
  const { lines, ...verdict } = runSeed(seed, { isTraced: traced === "true" })
  const { system, user } = process.cpuUsage(before)
  const trace = traced === "true" ? { lines } : {}
  process.stdout.write(`${JSON.stringify({ ...verdict, ...trace, cpuMs: (user + system) / 1000 })}\n`)
  if (stops === "true" && verdict.problems.length > 0) break
}
