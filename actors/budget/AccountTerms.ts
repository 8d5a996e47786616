/**
 * What does the configuration allow each upstream account?
 *
 * Each source has an account: the one that it names, or one of its own name. An account that the configuration does not
 * limit has no limit of its own, and still what keeps a cluster from asking a source in vain.
 */
import { type AccountSettings, type Configuration, defaults } from "../../protocol/Settings.ts"
import { requestWeightOf } from "../sources/exchangeTrades.ts"

type SourceSettings = Configuration["sources"][string]

/** What is allowed of one source. */
export interface SourceTerms {
  /** What one request weighs. */
  readonly weight: number
  /** Requests that one process may have under way. */
  readonly concurrency: number
  /** A request has ended after so long, one way or another. */
  readonly timeoutMs: number
  /** Failures in a row after which it is left alone. */
  readonly failuresMax: number
}

/** An allowance of any minute, and what of it may be spent at once. */
interface Allowance {
  readonly perMinute: number
  readonly burst: number
}

/** What is allowed of one account. */
export interface AccountTerms {
  readonly account: string
  readonly requests: Allowance | undefined
  readonly weight: Allowance | undefined
  /** Requests under way at once. */
  readonly concurrency: number | undefined
  readonly sources: ReadonlyMap<string, SourceTerms>
}

/** The account of a source. */
const accountOf = (source: string, settings: SourceSettings): string => settings.account ?? source

const defaultsOf = ({ kind }: SourceSettings) =>
  kind === "lake"
    ? { timeoutMs: defaults.lakeTimeoutMs, concurrency: defaults.lakeConcurrency }
    : { timeoutMs: defaults.requestTimeoutMs, concurrency: defaults.concurrency }

const sourceTerms = (settings: SourceSettings): SourceTerms => ({
  weight: settings.requestWeight ?? requestWeightOf(settings),
  concurrency: settings.concurrency ?? defaultsOf(settings).concurrency,
  timeoutMs: settings.requestTimeoutMs ?? defaultsOf(settings).timeoutMs,
  failuresMax: settings.breakerFailures ?? defaults.breakerFailures
})

const burstOf = ({ burst, requestsPerMinute }: AccountSettings): number =>
  burst ?? Math.max(1, Math.floor(requestsPerMinute * defaults.burstShare))

/** The same share of the weight as of the requests, and one request at the least. */
const weightOf = (
  { requestsPerMinute, weightPerMinute, ...settings }: AccountSettings,
  heaviest: number
): Allowance | undefined => {
  if (weightPerMinute === undefined) return undefined
  const share = burstOf({ requestsPerMinute, ...settings }) / requestsPerMinute
  return { perMinute: weightPerMinute, burst: Math.max(heaviest, Math.ceil(weightPerMinute * share)) }
}

const termsOf = (
  account: string,
  settings: AccountSettings | undefined,
  sources: ReadonlyMap<string, SourceTerms>
): AccountTerms => {
  const heaviest = Math.max(...Array.from(sources.values(), ({ weight }) => weight))
  return {
    account,
    requests: settings && { perMinute: settings.requestsPerMinute, burst: burstOf(settings) },
    weight: settings && weightOf(settings, heaviest),
    concurrency: settings?.concurrency,
    sources
  }
}

/** The terms of every account that a source has, by name. */
export const accountsOf = ({ accounts = {}, sources }: Configuration): ReadonlyMap<string, AccountTerms> => {
  const settingsOf = new Map(Object.entries(accounts))
  const byAccount = new Map<string, Map<string, SourceTerms>>()
  for (const [name, settings] of Object.entries(sources)) {
    const account = accountOf(name, settings)
    byAccount.set(account, (byAccount.get(account) ?? new Map<string, SourceTerms>()).set(name, sourceTerms(settings)))
  }
  return new Map(Array.from(byAccount, ([account, of]) => [account, termsOf(account, settingsOf.get(account), of)]))
}

/** How many requests a source may be sent in a minute, as long as nothing else of its account is asked. */
export const requestsPerMinute = (accounts: ReadonlyMap<string, AccountTerms>, source: string): number | undefined => {
  const account = Array.from(accounts.values()).find(({ sources }) => sources.has(source))
  if (account?.requests === undefined) return undefined
  const weight = account.sources.get(source)?.weight ?? defaults.requestWeight
  return Math.min(account.requests.perMinute, (account.weight?.perMinute ?? Infinity) / weight)
}
