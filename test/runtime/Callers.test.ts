/** Are callers told apart, and is what each has under way counted right? */
import { assert, describe, it } from "@effect/vitest"
import { Header } from "../../protocol/wire/Header.ts"
import { callerOf, makeCallers } from "../../runtime/Callers.ts"
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

  it("take() refuses one too many, and takes it again when one has ended", () => {
    const callers = makeCallers(2)
    const take = (inbox: string) => callers.take(message(`_INBOX.${inbox}.1`))
    const [first, second, third] = [take("a"), take("a"), take("a")]
    assert.strictEqual(typeof first, "function")
    assert.strictEqual(typeof second, "function")
    assert.deepInclude(third, { _tag: "TooManyRequests", caller: "_INBOX.a", requestsMax: 2 })
    assert.strictEqual(typeof take("b"), "function")
    if (typeof first === "function") first()
    assert.strictEqual(typeof take("a"), "function")
    assert.strictEqual(typeof take("a"), "object")
  })
})
