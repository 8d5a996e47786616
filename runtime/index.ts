/**
 * What does a program that has actors of its own use?
 *
 * `defineActor` makes a type of actors from forms and pure steps; a reference asks and tells them; an actor system
 * brings the messages there: `ActorSystem.layerLocal` in one process, `seamless/cluster` over many. Below them is the
 * contract of actors that are effects, and the port to NATS.
 */
export { defineActor, type DefinedActor, type Definition } from "./defineActor.ts"
export type { ActorRef, SendOptions } from "./ActorRef.ts"
export type { AllForms, FailureOf, Form, MessageForms, Outcome, Payloads, ReplyOf, Steps } from "./MessageForms.ts"
export { type Action, publish, type StepContext, type TimerOf } from "./StepContext.ts"
export * as Actor from "./Actor.ts"
export * as ActorState from "./ActorState.ts"
export * as ActorSystem from "./ActorSystem.ts"
export * as AuditLog from "./AuditLog.ts"
export * as Deadline from "./Deadline.ts"
export * as Invariants from "./Invariants.ts"
export * as MemoryMesh from "./MemoryMesh.ts"
export * as Mesh from "./Mesh.ts"
export * as NatsMesh from "./nats/NatsMesh.ts"
export * as EmbeddedServer from "./nats/EmbeddedServer.ts"
export * as ServiceEndpoint from "./ServiceEndpoint.ts"
export * as Propagation from "./telemetry/Propagation.ts"
export { Timers } from "./DurableTimer.ts"
export { Outbox } from "./Outbox.ts"
export { type Change, compareAndSet } from "./compareAndSet.ts"
export { HostStatus } from "./HostStatus.ts"
export { LiveHosts } from "./LiveHosts.ts"
export { randomId } from "./randomId.ts"
