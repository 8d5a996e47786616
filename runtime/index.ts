/**
 * What does a program that has actors of its own use?
 *
 * The behaviour contract, what an actor may do, and the port to NATS that it all stands on.
 */
export * as Actor from "./Actor.ts"
export * as ActorState from "./ActorState.ts"
export * as ActorSystem from "./ActorSystem.ts"
export * as AuditLog from "./AuditLog.ts"
export * as Deadline from "./Deadline.ts"
export * as Mesh from "./Mesh.ts"
export * as NatsMesh from "./nats/NatsMesh.ts"
export * as EmbeddedServer from "./nats/EmbeddedServer.ts"
export * as ServiceEndpoint from "./ServiceEndpoint.ts"
export * as Propagation from "./telemetry/Propagation.ts"
export { type Change, compareAndSet } from "./compareAndSet.ts"
export { LiveHosts } from "./LiveHosts.ts"
export { randomId } from "./randomId.ts"
