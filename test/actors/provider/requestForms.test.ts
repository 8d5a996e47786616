/** Is a request read in the form that it says it has, and refused with what is served? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { acceptOf, bodyOf, plainAcceptOf } from "../../../actors/provider/requestForms.ts"
import { Header } from "../../../protocol/wire/Header.ts"
import * as PlainPack from "../../../protocol/wire/PlainPack.ts"
import type { Message } from "../../../runtime/Mesh.ts"

const message = (data: Uint8Array, headers: Readonly<Record<string, string>> = {}): Message => ({
  subject: "a",
  data,
  headers: new Map(Object.entries(headers)),
  replyTo: "",
  respond: () => undefined
})

const json = (text: string): Uint8Array => new TextEncoder().encode(text)
const body = { nodeId: "ohlcv:größe", start: 1_670_889_600_000, sla: { minCoverage: 0.5 } }
const arrow = "application/vnd.apache.arrow.stream"

describe("requestForms", () => {
  it.effect("bodyOf() reads the same of either form", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* bodyOf(message(json(JSON.stringify(body)))), body)
      for (const form of ["application/msgpack", "application/x-msgpack", "application/vnd.msgpack; v=1"]) {
        assert.deepStrictEqual(yield* bodyOf(message(PlainPack.pack(body), { [Header.contentType]: form })), body)
      }
    })
  )

  it.effect("bodyOf() refuses another form, and bytes that are not of theirs", () =>
    Effect.gen(function* () {
      const refusals = [
        [message(json("{}"), { [Header.contentType]: "text/csv" }), Header.contentType, "send application/json or"],
        [message(json("{")), "body", "is no JSON"],
        [message(json("{}"), { [Header.contentType]: "application/msgpack" }), "body", "is no plain MessagePack"]
      ] as const
      for (const [asked, field, problem] of refusals) {
        const error = yield* Effect.flip(bodyOf(asked))
        assert.strictEqual(error._tag, "InvalidRequest")
        assert.include(error.message, `${field}: `)
        assert.include(error.message, problem)
      }
    })
  )

  it.effect("bodyOf() does not look at a body of more bytes than a request has", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(bodyOf(message(json(" ".repeat(65_537)))))
      assert.deepInclude(error, { _tag: "RequestTooLarge", bytes: 65_537, bytesMax: 65_536 })
      assert.strictEqual((yield* Effect.flip(bodyOf(message(json(" ".repeat(65_536))))))._tag, "InvalidRequest")
    })
  )

  it.effect("plainAcceptOf() has no Arrow, and takes what else is listed", () =>
    Effect.gen(function* () {
      const accepting = (accept: string) => message(json("{}"), { [Header.accept]: accept })
      assert.strictEqual(yield* plainAcceptOf(accepting(`${arrow}, application/msgpack;q=0.1`)), "messagePack")
      assert.strictEqual(yield* plainAcceptOf(accepting(`${arrow}, */*;q=0.1`)), "json")
      const refused = yield* Effect.flip(plainAcceptOf(accepting(arrow)))
      assert.include(refused.message, "ask for application/json or application/msgpack")
      assert.strictEqual(yield* acceptOf(accepting(arrow)), "text")
    })
  )
})
