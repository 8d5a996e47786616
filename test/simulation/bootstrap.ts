/**
 * What is loaded before the product, in a process that simulates?
 *
 * The edits that make the world small and, where a mutant is named, wrong. Given to node by `--import`.
 */
import process from "node:process"
import { mutants } from "./mutants.ts"
import { smallWorld } from "./smallWorld.ts"
import { apply } from "./SourceEdit.ts"

/** The name of the mutant to run, in the environment of a process that simulates. */
const name = process.env["SEAMLESS_SIM_MUTANT"] ?? ""
const mutant = mutants.find((each) => each.name === name)
if (name !== "" && mutant === undefined) throw new Error(`there is no mutant ${name}`)

// traces of errors are a third of what an error costs, and nobody reads them here
Error.stackTraceLimit = 0

// fibers look for the library of asynchronous contexts when they are first loaded; none of it is used here
const getBuiltinModule = process.getBuiltinModule.bind(process)
Object.defineProperty(process, "getBuiltinModule", {
  configurable: true,
  value: (id: string) => (id === "node:async_hooks" ? undefined : getBuiltinModule(id))
})
await import("effect")
Object.defineProperty(process, "getBuiltinModule", { configurable: true, value: getBuiltinModule })

apply([...smallWorld, ...(mutant?.edits ?? [])])
