/**
 * How is a request called off that is under way?
 *
 * Its caller named it. Every host hears the name, and the one at work ends the request's fiber without a word; what
 * others share goes on, since it hangs on no request.
 */
import { Effect, type Fiber } from "effect"
import * as CallSubject from "../protocol/wire/CallSubject.ts"
import { limits } from "../protocol/wire/Limits.ts"
import { Mesh } from "./Mesh.ts"

/** Requests under way that their callers have named. */
interface Calls {
  /** Has the fiber of a request end when its call is called off; nothing where it has no name. */
  readonly add: (call: string | undefined, fiber: Fiber.Fiber<void>) => void
}

/** Listens to who calls off, for as long as the scope lives. */
export const make = Effect.gen(function* () {
  const mesh = yield* Mesh
  const bySubject = new Map<string, Set<Fiber.Fiber<void>>>()
  yield* mesh.subscribe(CallSubject.cancels, ({ subject }) => {
    for (const fiber of Array.from(bySubject.get(subject) ?? [])) fiber.interruptUnsafe()
  })
  const calls: Calls = {
    add: (call = "", fiber) => {
      // a name is a token of a subject: longer ones are none
      if (call === "" || call.length > limits.nameLength) return
      const subject = CallSubject.cancel(call)
      const named = bySubject.get(subject) ?? new Set()
      bySubject.set(subject, named.add(fiber))
      fiber.addObserver(() => {
        named.delete(fiber)
        if (named.size === 0 && bySubject.get(subject) === named) bySubject.delete(subject)
      })
    }
  }
  return calls
})
