/** What if an operator has every read answered as `fail_fast`? Pure. */
import type { HistoryRequest } from "../../protocol/history/HistoryRequest.ts"
import { isoTime } from "../../protocol/history/isoTime.ts"
import { type ReadDefaults, service } from "../../protocol/history/RequestDefaults.ts"
import * as SlaPolicy from "../../protocol/history/SlaPolicy.ts"
import { parse } from "../../protocol/history/Strategy.ts"
import { isOn, type SwitchRecord, type SwitchWord } from "../../protocol/Switches.ts"

const name = "FORCE_FAIL_FAST"
const failFast = "fail_fast"

/** The strategy that a caller named, and by whose word another counts. */
export interface Forced {
  /** As it was asked; null where the request names none. */
  readonly strategy: string | null
  readonly word: SwitchWord | undefined
}

/** The request as it is answered. */
interface Answered {
  readonly asked: HistoryRequest
  readonly forced: { readonly forced?: Forced }
}

/** The waits of that strategy in an environment, or those that the request names where they are shorter. */
const shorterWaits = ({ sla = {} }: HistoryRequest, environment: ReadDefaults): SlaPolicy.SlaPolicy => {
  const own = SlaPolicy.resolve(failFast, environment.sla, environment.slaByStrategy?.[failFast])
  const shorter = (field: "maxWaitStorageMs" | "totalDeadlineMs") => {
    const waitMs = Math.min(sla[field] ?? Infinity, own[field] ?? Infinity)
    return waitMs === Infinity ? {} : { [field]: waitMs }
  }
  return { ...sla, ...shorter("maxWaitStorageMs"), ...shorter("totalDeadlineMs") }
}

/** The request, with `fail_fast` where that is forced: nobody waits longer than that strategy does, either. */
export const forceFailFast = (request: HistoryRequest, record: SwitchRecord, environment: ReadDefaults): Answered => {
  const { strategy = null } = request
  const meant = parse(strategy ?? "") ?? environment.strategy ?? service.read.strategy
  if (!isOn(record, name) || meant === failFast) return { asked: request, forced: {} }
  const sla = shorterWaits(request, environment)
  return { asked: { ...request, strategy: failFast, sla }, forced: { forced: { strategy, word: record.words[name] } } }
}

/** What the caller is told of it. */
export const forcedNotes = ({ forced }: { readonly forced?: Forced }): ReadonlyArray<string> => {
  if (forced === undefined) return []
  const { strategy, word } = forced
  const whose = word === undefined ? "" : ` since ${isoTime(word.at)}, by ${word.by}: ${word.reason}`
  return [`answered as ${failFast}, not as ${strategy ?? "the default"}: ${name} is on${whose}`]
}
