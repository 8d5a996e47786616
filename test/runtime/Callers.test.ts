/** Are callers told apart? */
import { assert, describe, it } from "@effect/vitest"
import { Header } from "../../protocol/wire/Header.ts"
import { callerOf } from "../../runtime/Callers.ts"
import type { Message } from "../../runtime/Mesh.ts"

const message = (replyTo: string, caller?: string): Message => ({
  subject: "a",
  data: new Uint8Array(0),
  headers: new Map(caller === undefined ? [] : [[Header.caller, caller]]),
  replyTo,
  respond: () => undefined
})

describe("Callers", () => {
  it("callerOf() is the name that a request gives, or else the connection", () => {
    const cases = [
      [message("_INBOX.abc.1"), "_INBOX.abc"],
      [message("_INBOX.abc.def.2"), "_INBOX.abc"],
      [message("_INBOX_alice.xyz"), "_INBOX_alice.xyz"],
      [message("one"), "one"],
      [message(""), ""],
      [message("_INBOX.abc.1", "strategy-7"), "strategy-7"],
      [message("_INBOX.abc.1", "  "), "_INBOX.abc"],
      [message("_INBOX.abc.1", "n".repeat(200)), "n".repeat(128)]
    ] as const
    for (const [asked, caller] of cases) assert.strictEqual(callerOf(asked), caller)
  })
})
