// Does this client read and write what the golden vectors say? Goes through every file of a folder: builds its
// requests, feeds its replies to the reader, and computes its names, windows and hashes. A file that it does not know
// is a failure.

import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { isDeepStrictEqual } from "node:util"
import { checkers } from "./vectorCheckers.js"

class Checks {
  constructor() {
    this.count = 0
    this.failures = []
  }

  equal(what, actual, expected) {
    this.count += 1
    if (isDeepStrictEqual(actual, expected)) return
    this.failures.push(`${what}: is ${brief(actual)}, and should be ${brief(expected)}`)
  }

  isTrue(what, value) {
    this.equal(what, value, true)
  }

  refused(what, act) {
    this.count += 1
    try {
      const given = act()
      this.failures.push(`${what}: is taken as ${brief(given)}, and should be refused`)
    } catch {
      // It was refused, as it has to be.
    }
  }
}

const brief = (value) =>
  (JSON.stringify(value, (_, field) => (typeof field === "bigint" ? `${field}n` : field)) ?? "undefined").slice(0, 300)

/** Gives `{ file, checks, failures }` of every file in the folder. */
export function checkVectors(folder) {
  const load = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"))
  return readdirSync(folder)
    .sort()
    .filter((file) => file !== "README.md")
    .map((file) => {
      const checks = new Checks()
      const name = file.replace(/\.json$/, "")
      try {
        if (!file.endsWith(".json") || !Object.hasOwn(checkers, name)) throw new Error("this file is not known")
        checkers[name](checks, load(name), load)
        if (checks.count === 0) checks.failures.push("nothing was checked")
      } catch (error) {
        checks.failures.push(String(error.stack ?? error))
      }
      return { file, checks: checks.count, failures: checks.failures }
    })
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const results = checkVectors(process.argv[2] ?? ".")
  for (const { file, checks, failures } of results) {
    process.stdout.write(`${failures.length === 0 ? "ok    " : "FAILED"} ${file} (${checks} checks)\n`)
    for (const failure of failures) process.stdout.write(`         ${failure}\n`)
  }
  if (results.some(({ failures }) => failures.length > 0)) process.exitCode = 1
}
