/** Is everybody served who waits: by class, by series, and in the order in which they came? */
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Line from "../../../actors/budget/Line.ts"
import { JobClass } from "../../../protocol/history/BackfillJob.ts"
import { law } from "../../support/law.ts"

const ticketOf = (id: string, more: Partial<Line.Ticket> = {}): Line.Ticket => ({
  id,
  asker: "host",
  source: "binance",
  jobClass: "bulk",
  series: "a",
  weight: 1,
  dueAtMs: 0,
  ...more
})

const joinAll = (line: Line.Line, tickets: ReadonlyArray<Line.Ticket>): Line.Line => tickets.reduce(Line.join, line)

/** Serves whoever is first, again and again. */
const serveAll = (from: Line.Line): ReadonlyArray<string> => {
  const served: Array<string> = []
  for (let line = from; ;) {
    const waiting = Line.present(line, 0)
    const [first] = Line.order(line, waiting, 1)
    if (first === undefined) return served
    served.push(first.id)
    line = Line.serve(line, first, waiting)
  }
}

const idsOf = (tickets: ReadonlyArray<Line.Ticket>): ReadonlyArray<string> => tickets.map(({ id }) => id)

/** Tickets of a few series and classes, each with a name of its own. */
const tickets = fc
  .array(fc.record({ jobClass: fc.constantFrom(...JobClass.literals), series: fc.constantFrom("a", "b", "c", "d") }), {
    maxLength: 40
  })
  .map((drawn) => drawn.map((more, index) => ticketOf(`${index}`, more)))

describe("Line", () => {
  it("order() takes series in turn, however many requests one of them has", () => {
    const many = ["a1", "a2", "a3", "a4"].map((id) => ticketOf(id, { series: "a" }))
    const line = joinAll(Line.empty, [...many, ticketOf("b1", { series: "b" }), ticketOf("b2", { series: "b" })])
    assert.deepStrictEqual(serveAll(line), ["a1", "b1", "a2", "b2", "a3", "a4"])
  })

  it("serve() puts a series behind those that waited meanwhile, also one that comes back with its next request", () => {
    let line = joinAll(Line.empty, [ticketOf("a1"), ticketOf("b1", { series: "b" }), ticketOf("b2", { series: "b" })])
    line = Line.serve(line, ticketOf("a1"), Line.present(line, 0))
    line = Line.join(line, ticketOf("a2"))
    assert.deepStrictEqual(serveAll(line), ["b1", "a2", "b2"])
  })

  law("everybody is served once", [tickets], (drawn) => {
    assert.sameMembers([...serveAll(joinAll(Line.empty, drawn))], [...idsOf(drawn)])
  })

  law(
    "order() says how it will be, if nobody else comes",
    [tickets, fc.integer({ min: 0, max: 50 })],
    (drawn, count) => {
      const line = joinAll(Line.empty, drawn)
      assert.deepStrictEqual(idsOf(Line.order(line, drawn, count)), serveAll(line).slice(0, count))
    }
  )

  law("requests of one series and class are served as they came", [tickets], (drawn) => {
    const served = serveAll(joinAll(Line.empty, drawn))
    const place = new Map(served.map((id, index) => [id, index]))
    for (const [index, ticket] of drawn.entries()) {
      const later = drawn.slice(index + 1).find((o) => o.jobClass === ticket.jobClass && o.series === ticket.series)
      if (later !== undefined) assert.isBelow(place.get(ticket.id)!, place.get(later.id)!)
    }
  })

  law("between two requests of one series no other series of the class has more than one", [tickets], (drawn) => {
    const byId = new Map(drawn.map((ticket) => [ticket.id, ticket]))
    const served = serveAll(joinAll(Line.empty, drawn)).map((id) => byId.get(id)!)
    for (const jobClass of JobClass.literals) {
      const series = served.filter((ticket) => ticket.jobClass === jobClass).map((ticket) => ticket.series)
      for (const [index, each] of series.entries()) {
        const next = series.indexOf(each, index + 1)
        const between = series.slice(index + 1, next === -1 ? index : next)
        assert.lengthOf(new Set(between), between.length)
      }
    }
  })

  it("join() keeps the place of a ticket that is asked for again, and takes no more than so many", () => {
    const full = joinAll(
      Line.empty,
      Array.from({ length: Line.ticketsMax }, (_, index) => ticketOf(`${index}`))
    )
    const again = Line.join(full, ticketOf("0", { dueAtMs: 500 }))
    assert.strictEqual(serveAll(again)[0], "0")
    assert.strictEqual(again.tickets.size, Line.ticketsMax)
    assert.strictEqual(again.tickets.get("0")?.dueAtMs, 500)
    assert.strictEqual(Line.join(full, ticketOf("one more")), full)
  })

  it("whoever is late lets others go first, keeps its place for a while, and is forgotten then", () => {
    const line = joinAll(Line.empty, [ticketOf("late", { dueAtMs: 1000 }), ticketOf("next", { dueAtMs: 9000 })])
    assert.deepStrictEqual(idsOf(Line.present(line, 1250)), ["late", "next"])
    assert.deepStrictEqual(idsOf(Line.present(line, 1251)), ["next"])
    assert.strictEqual(Line.withoutForgotten(line, 6000), line)
    const back = Line.join(line, ticketOf("late", { dueAtMs: 2000 }))
    assert.deepStrictEqual(idsOf(Line.order(back, Line.present(back, 2000), 9)), ["late", "next"])
    assert.deepStrictEqual([...Line.withoutForgotten(line, 6001).tickets.keys()], ["next"])
  })

  law("nothing is kept of those who have gone", [tickets], (drawn) => {
    const line = joinAll(Line.empty, drawn)
    const ids = new Set(idsOf(drawn))
    assert.strictEqual(Line.without(line, ({ id }) => ids.has(id)).turns.size, 0)
    const keys = new Set(drawn.map(({ jobClass, series }) => `${jobClass} ${series}`))
    assert.strictEqual(line.turns.size, keys.size)
  })
})
