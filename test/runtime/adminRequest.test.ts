/** Is an operator told what is wrong with a request, and what would be right? */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { requestReader } from "../../runtime/adminRequest.ts"
import { admin } from "../../protocol/wire/Admin.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

const readActors = requestReader("actors", admin.actors)
const readRelease = requestReader("release", admin.release)

it.effect("requestReader() reads what the verb takes; nothing is as good as no fields", () =>
  Effect.gen(function* () {
    assert.deepStrictEqual(yield* readActors(bytes(`{"top":3}`)), { top: 3 })
    assert.deepStrictEqual(yield* readActors(bytes("")), {})
  })
)

it.effect.each([
  ["no JSON", "{", /it is no JSON; one would be \{"type":"counter","top":50\}/],
  ["a number", "1", /Expected object/],
  ["a field that is out of bounds", `{"top":0}`, /top: Expected a value between 1 and 1000/],
  ["a field that nobody knows", `{"tpo":3}`, /tpo: /]
] as const)("requestReader() refuses %s, and gives an example", ([, text, expected]) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(readActors(bytes(text)))
    assert.strictEqual(error._tag, "InvalidAdminRequest")
    assert.match(error.message, expected)
  })
)

it.effect("requestReader() tells all that is wrong at once", () =>
  Effect.gen(function* () {
    const { problem } = yield* Effect.flip(readRelease(bytes(`{"type":1}`)))
    assert.match(problem, /type: Expected string.*; key: is missing/)
  })
)
