/** Is it known who asks? */
import { Option } from "effect"
import { userInfo } from "node:os"
import { afterEach, assert, it, vi } from "vitest"
import { operatorToken } from "../../bin/operator.ts"

afterEach(() => vi.unstubAllEnvs())

it("operatorToken() goes by the flag, then by the environment, then by the user", () => {
  vi.stubEnv("SEAMLESS_OPERATOR", "bob")
  assert.strictEqual(operatorToken(Option.some("alice")), "alice")
  assert.strictEqual(operatorToken(Option.none()), "bob")
  vi.stubEnv("SEAMLESS_OPERATOR", "")
  assert.strictEqual(operatorToken(Option.none()).length > 0, userInfo().username.length > 0)
})

it("operatorToken() is one token, whatever the name", () => {
  assert.strictEqual(operatorToken(Option.some("a.b >")), "a=2Eb=20=3E")
})
