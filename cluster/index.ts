/**
 * What does a program that joins a cluster with actors of its own use?
 *
 * A session says that the host lives; the actor system then brings each message to the one host that owns its actor.
 */
export * as HostSession from "./HostSession.ts"
export * as NatsActorSystem from "./NatsActorSystem.ts"
export * as Placement from "./Placement.ts"
export * as liveHosts from "./liveHosts.ts"
export { agreeOnManifest } from "./manifestAgreement.ts"
