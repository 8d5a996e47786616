/** What if an operator has every read answered as `fail_fast`? Pure. */
import type { HistoryRequest } from "../../protocol/history/HistoryRequest.ts"
import { isoTime } from "../../protocol/history/isoTime.ts"
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

/** The request, with `fail_fast` where that is forced: its waits are those of that strategy, too. */
export const forceFailFast = (request: HistoryRequest, record: SwitchRecord): Answered => {
  const { strategy = null } = request
  if (!isOn(record, name) || strategy?.toLowerCase() === failFast) return { asked: request, forced: {} }
  return { asked: { ...request, strategy: failFast }, forced: { forced: { strategy, word: record.words[name] } } }
}

/** What the caller is told of it. */
export const forcedNotes = ({ forced }: { readonly forced?: Forced }): ReadonlyArray<string> => {
  if (forced === undefined) return []
  const { strategy, word } = forced
  const whose = word === undefined ? "" : ` since ${isoTime(word.at)}, by ${word.by}: ${word.reason}`
  return [`answered as ${failFast}, not as ${strategy ?? "the default"}: ${name} is on${whose}`]
}
