/**
 * How much was asked of each subject that a host serves, and what came of it?
 *
 * Counted where requests are answered, and told to who asks for it; nobody counts where nobody wants to know.
 */
import { Context, Layer } from "effect"
import { Header } from "../protocol/wire/Header.ts"
import type { EndpointFigures } from "../protocol/wire/Micro.ts"
import type { Headers } from "./Mesh.ts"

/** What is counted, by subject. */
export interface ServiceFiguresShape {
  /** Counts an answer by its headers. */
  readonly note: (subject: string, headers: Headers, elapsedMs: number) => void
  readonly of: (subject: string) => EndpointFigures
}

const nothing: EndpointFigures = { requests: 0, errors: 0, lastError: "", processingNanos: 0 }

const nanosPerMs = 1_000_000

/** The figures of a host. */
export const ServiceFigures = Context.Reference<ServiceFiguresShape>("seamless/runtime/ServiceFigures", {
  defaultValue: () => ({ note: () => undefined, of: () => nothing })
})

const make = (): ServiceFiguresShape => {
  const bySubject = new Map<string, EndpointFigures>()
  const of = (subject: string): EndpointFigures => bySubject.get(subject) ?? nothing
  return {
    of,
    note: (subject, headers, elapsedMs) => {
      const { errors, lastError, processingNanos, requests } = of(subject)
      const tag = headers.get(Header.error)
      bySubject.set(subject, {
        requests: requests + 1,
        errors: tag === undefined ? errors : errors + 1,
        lastError: tag === undefined ? lastError : `${headers.get(Header.errorCode) ?? ""}:${tag}`,
        processingNanos: processingNanos + Math.round(elapsedMs * nanosPerMs)
      })
    }
  }
}

/** Figures of its own for each host. */
export const layer: Layer.Layer<never> = Layer.sync(ServiceFigures, make)
