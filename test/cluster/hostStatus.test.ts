/** Is it told how a host is, and why? */
import { describe, expect, it } from "vitest"
import { judge } from "../../cluster/hostStatus.ts"

const well = { isValid: true, silentMs: 300, unconfirmed: 0, isDraining: false, isDrained: false }

describe("judge()", () => {
  it("judge() has no reason to give for a host that serves", () => {
    expect(judge(well)).toEqual(["serving", ""])
  })

  it("judge() says for how long nothing was answered, whatever else there is", () => {
    const lost = { ...well, isValid: false, silentMs: 4234 }
    expect(judge(lost)).toEqual(["suspended", "no renewal answered for 4.2 s"])
    expect(judge({ ...lost, isDraining: true, unconfirmed: 5 })[0]).toBe("suspended")
  })

  it("judge() suspends a host until its slots are confirmed", () => {
    expect(judge({ ...well, unconfirmed: 3 })).toEqual(["suspended", "slots not confirmed yet: 3"])
  })

  it("judge() knows a host that drains from one that has", () => {
    expect(judge({ ...well, isDraining: true })[0]).toBe("draining")
    expect(judge({ ...well, isDraining: true, isDrained: true })[0]).toBe("drained")
  })
})
