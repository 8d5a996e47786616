/**
 * Do the parts of a configuration agree with each other?
 *
 * What no single field shows: an interval that is none, a source that nobody declared, a series given twice. It looks
 * at the plain data and passes over what is not of the expected form, which the schema has told already.
 */
import { Option, Predicate } from "effect"
import { exchangeIds } from "../actors/sources/exchangeIds.ts"
import { requestWeightOf } from "../actors/sources/exchangeTrades.ts"
import * as Interval from "../protocol/history/Interval.ts"
import { defaults } from "../protocol/Settings.ts"
import { byteLength, nodeIdBytesMax } from "../protocol/wire/Token.ts"
import { checkCalendars } from "./calendarFiles.ts"
import { checkDerived, checkDerivedNames } from "./checkDerived.ts"
import { checkSchemas } from "./checkSchemas.ts"
import { checkTrades } from "./checkTrades.ts"
import { isZone, zoneForm } from "./isZone.ts"
import { checkListingTimes } from "./listingTimes.ts"
import type { Mistake } from "./Mistake.ts"

// they name outcomes of the host's own stores in every answer, so a source of that name could not be told apart
const takenNames: ReadonlyArray<string> = ["cache", "storage"]

const fieldOf = (value: unknown, key: string): unknown => (Predicate.hasProperty(value, key) ? value[key] : undefined)

const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

const isTooMuch = (part: unknown, whole: unknown): boolean =>
  typeof part === "number" && typeof whole === "number" && part > whole

/** Each text of a list, with its index. */
const textsOf = (value: unknown): ReadonlyArray<readonly [index: number, text: string]> =>
  listOf(value).flatMap((each, index) => (typeof each === "string" ? [[index, each] as const] : []))

const checkInterval = (path: string, text: string): ReadonlyArray<Mistake> =>
  Option.isSome(Interval.parse(text))
    ? []
    : [
        {
          path,
          problem: `${JSON.stringify(text)} is no interval: a whole number and s, m, h, d or w, such as 1m or 4h`
        }
      ]

const checkSource = (path: string, name: string, known: ReadonlyArray<string>): ReadonlyArray<Mistake> =>
  known.includes(name)
    ? []
    : [{ path, problem: `${JSON.stringify(name)} is no source; declared under sources: ${known.join(", ") || "none"}` }]

/** The sources of a series that it names again. */
const checkRepeated = (path: string, names: ReadonlyArray<readonly [number, string]>): ReadonlyArray<Mistake> =>
  names.flatMap(([index, name], at) => {
    const first = names.findIndex(([, other]) => other === name)
    const problem = `${JSON.stringify(name)} stands at ${path}[${names[first]?.[0]}] already`
    return first < at ? [{ path: `${path}[${index}]`, problem }] : []
  })

// so many letters have to be the same for one id to be taken for another
const alikeLetters = 3

/** The exchanges that ccxt does not know: such a host would start, and fail at its first request. */
const checkExchanges = (sources: object): ReadonlyArray<Mistake> => {
  const ids = exchangeIds()
  if (ids.length === 0) return []
  return Object.entries(sources).flatMap(([name, settings]) => {
    const id = fieldOf(settings, "exchange")
    // an empty one the schema refuses
    if (typeof id !== "string" || id === "" || ids.includes(id)) return []
    const alike = ids.filter((other) => other.startsWith(id.slice(0, alikeLetters).toLowerCase()))
    const hint = alike.length === 0 ? "it lists them as its exchanges" : `there is ${alike.join(", ")}`
    return [{ path: `sources.${name}.exchange`, problem: `${JSON.stringify(id)} is no exchange in ccxt; ${hint}` }]
  })
}

/** What sources that are files say of their times. */
const checkLakes = (sources: object): ReadonlyArray<Mistake> =>
  Object.entries(sources).flatMap(([name, settings]) => {
    const [interval, zone] = ["interval", "zone"].map((key) => fieldOf(settings, key))
    const problem = `${JSON.stringify(zone)} is no zone: ${zoneForm}`
    const given = fieldOf(settings, "kind") === "lake" ? fieldOf(settings, "path") : undefined
    const paths = typeof given === "string" ? [given] : textsOf(given).map(([, text]) => text)
    const named = paths.filter((path) => path.includes("{symbol}"))
    const mixed = "some have {symbol} in them and some have not: make two sources of them"
    const remote = `${paths.find((path) => path.startsWith("s3://"))} is in a bucket: say s3, which may be {}`
    return [
      ...(named.length > 0 && named.length < paths.length ? [{ path: `sources.${name}.path`, problem: mixed }] : []),
      ...(fieldOf(settings, "s3") === undefined && paths.some((path) => path.startsWith("s3://"))
        ? [{ path: `sources.${name}.s3`, problem: remote }]
        : []),
      ...(typeof interval === "string" ? checkInterval(`sources.${name}.interval`, interval) : []),
      ...(typeof zone === "string" && !isZone(zone) ? [{ path: `sources.${name}.zone`, problem }] : [])
    ]
  })

/** Intervals for which a source settles otherwise: what is misspelt would count for none. */
const checkSettling = (sources: object): ReadonlyArray<Mistake> =>
  Object.entries(sources).flatMap(([name, settings]) =>
    Object.keys(Object(fieldOf(settings, "settleMsByInterval"))).flatMap((text) =>
      checkInterval(`sources.${name}.settleMsByInterval.${text}`, text)
    )
  )

/** Waits that grow from `baseMs`, and end above `maxMs` before they have grown. */
const checkWaits = (input: unknown, room: "retry" | "absence", maxMsDefault: number): ReadonlyArray<Mistake> => {
  const [base, given] = ["baseMs", "maxMs"].map((key) => fieldOf(fieldOf(input, room), key))
  const most = given === undefined ? maxMsDefault : given
  if (!isTooMuch(base, most)) return []
  const which = given === undefined ? `the default of ${room}.maxMs` : `${room}.maxMs`
  const problem = `the first wait is ${JSON.stringify(base)}, and the longest, ${which}, ${JSON.stringify(most)}`
  return [{ path: `${room}.baseMs`, problem: `${problem}: it has to be no shorter` }]
}

/** The sources that requests prefer where they name none: one that is misspelt would be preferred by nobody. */
const checkRequests = (input: unknown, known: ReadonlyArray<string>): ReadonlyArray<Mistake> =>
  ["read", "ensure"].flatMap((verb) => {
    const path = `requests.${verb}.sourcePriority`
    const names = textsOf(fieldOf(fieldOf(fieldOf(input, "requests"), verb), "sourcePriority"))
    return [
      ...checkRepeated(path, names),
      ...names.flatMap(([index, name]) => checkSource(`${path}[${index}]`, name, known))
    ]
  })

const checkNode = (path: string, node: unknown): ReadonlyArray<Mistake> => {
  const bytes = typeof node === "string" ? byteLength(node) : 0
  return bytes > nodeIdBytesMax
    ? [{ path, problem: `has ${bytes} bytes of UTF-8, and at most ${nodeIdBytesMax} are allowed` }]
    : []
}

/** Each series by its path and its name in one spelling. */
const namedSeries = (series: ReadonlyArray<unknown>): ReadonlyArray<readonly [path: string, name: string]> =>
  series.flatMap((kept, at) => {
    const node = fieldOf(kept, "node")
    if (typeof node !== "string") return []
    return textsOf(fieldOf(kept, "intervals")).flatMap(([index, text]) =>
      Option.toArray(Interval.parse(text)).map(
        (interval) => [`series[${at}].intervals[${index}]`, `${node} ${interval.text}`] as const
      )
    )
  })

const findTwice = (series: ReadonlyArray<unknown>): ReadonlyArray<Mistake> => {
  const first = new Map<string, string>()
  return namedSeries(series).flatMap(([path, name]) => {
    const before = first.get(name)
    if (before !== undefined) return [{ path, problem: `is the series ${name}, which ${before} gives already` }]
    first.set(name, path)
    return []
  })
}

const checkNames = (sources: ReadonlyArray<string>): ReadonlyArray<Mistake> =>
  sources
    .filter((name) => takenNames.includes(name))
    .map((name) => ({ path: `sources.${name}`, problem: "is what a host calls a store of its own: take another name" }))

/** The account of a source, by its name; without one it has one of its own name. */
const accountOf = (name: string, settings: unknown): unknown => fieldOf(settings, "account") ?? name

const checkAccount = (path: string, settings: unknown, heaviest: number): ReadonlyArray<Mistake> => {
  const [requests, weight, burst] = ["requestsPerMinute", "weightPerMinute", "burst"].map((key) =>
    fieldOf(settings, key)
  )
  return [
    ...(isTooMuch(burst, requests)
      ? [{ path: `${path}.burst`, problem: `is more than a minute has, which is ${String(requests)}` }]
      : []),
    ...(isTooMuch(heaviest, weight)
      ? [{ path: `${path}.weightPerMinute`, problem: `is less than one request weighs, which is ${heaviest}` }]
      : [])
  ]
}

/** The accounts that sources name, and those that are limited: a name that is misspelt would limit nothing. */
const checkAccounts = (input: unknown, sources: object): ReadonlyArray<Mistake> => {
  const declared = fieldOf(input, "accounts") ?? {}
  if (!Predicate.isObject(declared)) return []
  const named = Object.entries(sources).map(([name, settings]) => ({
    name,
    account: accountOf(name, settings),
    weight: fieldOf(settings, "requestWeight") ?? requestWeightOf(Object(settings))
  }))
  const known = Object.keys(declared)
  const undeclared = named.flatMap(({ account, name }) =>
    typeof account !== "string" || account === name || known.includes(account)
      ? []
      : [
          {
            path: `sources.${name}.account`,
            problem: `${JSON.stringify(account)} is no account; declared under accounts: ${known.join(", ") || "none"}`
          }
        ]
  )
  const each = Object.entries(declared).flatMap(([account, settings]) => {
    const own = named.filter((source) => source.account === account)
    const weights = own.map(({ weight }) => (typeof weight === "number" ? weight : defaults.requestWeight))
    const problem = `is no source's account; those are ${named.map((source) => String(source.account)).join(", ")}`
    return own.length === 0
      ? [{ path: `accounts.${account}`, problem }]
      : checkAccount(`accounts.${account}`, settings, Math.max(...weights))
  })
  return [...undeclared, ...each]
}

/** What is wrong between the fields of a configuration, given as plain data. */
export const findDisagreements = (input: unknown): ReadonlyArray<Mistake> => {
  const declared = fieldOf(input, "sources")
  const known = Predicate.isObject(declared) ? Object.keys(declared) : undefined
  const series = listOf(fieldOf(input, "series"))
  const each = series.flatMap((kept, at) => [
    ...checkNode(`series[${at}].node`, fieldOf(kept, "node")),
    ...checkListingTimes(`series[${at}]`, kept),
    ...textsOf(fieldOf(kept, "intervals")).flatMap(([index, text]) =>
      checkInterval(`series[${at}].intervals[${index}]`, text)
    ),
    ...checkRepeated(`series[${at}].sources`, textsOf(fieldOf(kept, "sources"))),
    ...textsOf(fieldOf(kept, "sources")).flatMap(([index, name]) =>
      known === undefined ? [] : checkSource(`series[${at}].sources[${index}]`, name, known)
    )
  ])
  const waits = [
    ...checkWaits(input, "retry", defaults.retryMaxMs),
    ...checkWaits(input, "absence", defaults.absenceMaxMs)
  ]
  const named = Predicate.isObject(declared)
    ? [
        ...checkExchanges(declared),
        ...checkRequests(input, Object.keys(declared)),
        ...checkLakes(declared),
        ...checkSettling(declared),
        ...checkTrades(declared, series),
        ...checkAccounts(input, declared)
      ]
    : []
  return [
    ...checkNames(known ?? []),
    ...checkDerivedNames(known ?? []),
    ...named,
    ...waits,
    ...checkCalendars(input),
    ...each,
    ...checkSchemas(input),
    ...checkDerived(series, fieldOf(input, "schemas")),
    ...findTwice(series)
  ]
}
