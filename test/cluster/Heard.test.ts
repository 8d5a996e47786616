/** Does a host that is not heard of fall silent, and none that is heard of late? */
import { describe, expect, it } from "vitest"
import * as Heard from "../../cluster/Heard.ts"

describe("Heard", () => {
  it("isSilent() of a revision that stands for longer than a session lasts", () => {
    const heard = Heard.make()
    heard.note("a", 5, 1000)
    expect(heard.isSilent("a", 5, 1000 + Heard.silentAfterMs)).toBe(false)
    expect(heard.isSilent("a", 5, 1001 + Heard.silentAfterMs)).toBe(true)
  })

  it("isSilent() never of a host whose record has moved on meanwhile, though nobody announced it", () => {
    const heard = Heard.make()
    heard.note("a", 5, 1000)
    expect(heard.isSilent("a", 6, 90_000)).toBe(false)
    heard.note("a", 6, 90_000)
    expect(heard.isSilent("a", 6, 90_001)).toBe(false)
  })

  it("isSilent() never of a host that was just seen for the first time", () => {
    expect(Heard.make().isSilent("a", 5, 90_000)).toBe(false)
  })

  it("note() of an old revision, as from a replica that lags, starts nothing anew", () => {
    const heard = Heard.make()
    heard.note("a", 5, 1000)
    heard.note("a", 4, 3000)
    heard.note("a", 5, 3000)
    expect(heard.isSilent("a", 5, 4500)).toBe(true)
  })

  it("isHeardOf() as long as a session lasts after the last revision, and not after its end", () => {
    const heard = Heard.make()
    expect(heard.isHeardOf("a", 0)).toBe(false)
    heard.note("a", 5, 1000)
    expect(heard.isHeardOf("a", 1000 + Heard.silentAfterMs)).toBe(true)
    expect(heard.isHeardOf("a", 1001 + Heard.silentAfterMs)).toBe(false)
    heard.note("a", 6, 6000)
    heard.forget("a")
    expect(heard.isHeardOf("a", 6000)).toBe(false)
  })

  it("newlySilent() tells each host once, and again after it was heard of", () => {
    const heard = Heard.make()
    heard.note("a", 5, 0)
    heard.note("b", 6, 2000)
    expect(heard.newlySilent(3200)).toEqual(["a"])
    expect(heard.newlySilent(3300)).toEqual([])
    heard.note("a", 7, 3300)
    expect(heard.newlySilent(6500)).toEqual(["a", "b"])
    heard.forget("a")
    expect(heard.newlySilent(9000)).toEqual([])
  })

  it("nextSilenceAtMs() is when the first host that was not told of falls silent, and never later for a new one", () => {
    const heard = Heard.make()
    expect(heard.nextSilenceAtMs(500)).toBe(500 + Heard.silentAfterMs)
    heard.note("a", 5, 0)
    heard.note("b", 6, 2000)
    expect(heard.nextSilenceAtMs(2500)).toBe(Heard.silentAfterMs)
    expect(heard.newlySilent(Heard.silentAfterMs + 1)).toEqual(["a"])
    expect(heard.nextSilenceAtMs(Heard.silentAfterMs + 1)).toBe(2000 + Heard.silentAfterMs)
  })
})
