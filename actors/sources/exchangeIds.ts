/**
 * Which exchanges does ccxt know?
 *
 * Its own list, read as text: a misspelt id is told before anything starts, and half a second of loading is spared.
 */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"

const idsOf = (source: string): ReadonlyArray<string> => {
  const [, list = ""] = /^const exchanges = \{([^}]*)\}/m.exec(source) ?? []
  return Array.from(list.matchAll(/^\s*'?(\w+)'?:/gm), ([, id = ""]) => id)
}

const read = (): ReadonlyArray<string> => {
  try {
    const packaged = pathToFileURL(createRequire(import.meta.url).resolve("ccxt"))
    return idsOf(readFileSync(new URL("../js/ccxt.js", packaged), "utf8"))
  } catch {
    return []
  }
}

let known: ReadonlyArray<string> | undefined

/** The ids; none where the list is not found, which says nothing of an exchange. */
export const exchangeIds = (): ReadonlyArray<string> => (known ??= read())
