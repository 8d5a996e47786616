/**
 * What does a program that joins a cluster with actors of its own use?
 *
 * `Member.layer` makes it a host of the actors of its types; `Member.callerLayer` lets it ask them and own none.
 */
export * as Member from "./Member.ts"
export * as HostSession from "./HostSession.ts"
export * as NatsActorSystem from "./NatsActorSystem.ts"
export * as Placement from "./Placement.ts"
export * as hostStatus from "./hostStatus.ts"
export * as liveHosts from "./liveHosts.ts"
export { LocalActors } from "./LocalActors.ts"
export { agreeOnManifest } from "./manifestAgreement.ts"
