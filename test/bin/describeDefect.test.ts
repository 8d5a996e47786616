/** Does a fault end in a sentence instead of a stack? */
import { Cause } from "effect"
import { afterEach, assert, it, vi } from "vitest"
import { describeDefect } from "../../bin/describeDefect.ts"

afterEach(() => vi.unstubAllEnvs())

const fault = Cause.die(new TypeError("x is no function\nand more"))

it("describeDefect() is one line that names the fault and the way to the stack", () => {
  vi.stubEnv("SEAMLESS_DEBUG", "")
  assert.match(describeDefect(fault), /^seamless failed.*TypeError: x is no function\. SEAMLESS_DEBUG=1.*$/)
  assert.notInclude(describeDefect(fault), "\n")
})

it("describeDefect() shows the stack to who asks for it", () => {
  vi.stubEnv("SEAMLESS_DEBUG", "1")
  assert.match(describeDefect(fault), /describeDefect\.test\.ts/)
})
