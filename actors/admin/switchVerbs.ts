/** How are operators answered who ask about switches, and turn them? */
import { Effect } from "effect"
import { switchAdmin, type SwitchReport } from "../../protocol/messages/SwitchAdmin.ts"
import { isOn, switches, SwitchName, type SwitchRecord } from "../../protocol/Switches.ts"
import type { responder } from "../../runtime/AdminEndpoint.ts"
import type { Respond } from "../../runtime/ServiceEndpoint.ts"
import { SwitchBoard } from "../../runtime/Switches.ts"

const reportOf = (record: SwitchRecord, name: SwitchName): SwitchReport => {
  const { isOn: onByDefault, kind, means } = switches[name]
  return { name, kind, on: isOn(record, name), onByDefault, means, word: record.words[name] ?? null }
}

/** The verbs about switches, each with what answers it. */
export const switchVerbs = Effect.fnUntraced(function* (respond: ReturnType<typeof responder>) {
  const board = yield* SwitchBoard
  const list = () => {
    const record = board.current()
    return { version: record.version, switches: SwitchName.literals.map((name) => reportOf(record, name)) }
  }
  return {
    switches: respond("switches", switchAdmin.switches, () => Effect.sync(list)),
    turnSwitch: respond(
      "turnSwitch",
      switchAdmin.turnSwitch,
      ({ name, on, reason }, by) =>
        Effect.map(board.turn({ name, on, by, reason }), ({ changed, record }) => ({
          version: record.version,
          changed,
          switch: reportOf(record, name)
        })),
      { isChanging: true }
    )
  } satisfies Readonly<Record<keyof typeof switchAdmin, Respond>>
})
