/** What can go wrong between a caller and an actor? */
import { Schema } from "effect"
import { HostLimit, limitText } from "./Limits.ts"

/**
 * The actor has as many messages waiting as it takes, or the host as much under way of what `limit` says. Nothing was
 * done: ask again after `retryAfterMs`.
 */
export class MailboxFull extends Schema.TaggedError<MailboxFull>()("MailboxFull", {
  address: Schema.String,
  retryAfterMs: Schema.Finite,
  limit: Schema.optionalKey(HostLimit),
  limitMax: Schema.optionalKey(Schema.Finite)
}) {
  override get message() {
    const what =
      this.limit === undefined
        ? `the mailbox of ${this.address} is full`
        : `${this.limitMax} ${limitText[this.limit]} are under way on this host`
    return `${what}; ask again after ${this.retryAfterMs} ms`
  }
}

/**
 * No host could take the message, or the host that did stopped, and then the outcome is unknown. Ask again: under the
 * same operation id it takes effect once.
 */
export class ActorUnavailable extends Schema.TaggedError<ActorUnavailable>()("ActorUnavailable", {
  address: Schema.String,
  reason: Schema.String,
  /** Nothing of it was begun; where this is absent, what became of it is unknown. */
  untouched: Schema.optionalKey(Schema.Boolean)
}) {
  override get message() {
    return `${this.address} can't be reached: ${this.reason}`
  }
}

/** The caller's time was over. What others share goes on. */
export class DeadlineExceeded extends Schema.TaggedError<DeadlineExceeded>()("DeadlineExceeded", {
  waitingFor: Schema.String,
  budgetMs: Schema.Finite
}) {
  override get message() {
    return `${this.waitingFor} did not come within ${Math.round(this.budgetMs)} ms`
  }
}

/**
 * The actor failed to start as often as its type allows, and is left alone for now. Nothing was done: ask again after
 * `retryAfterMs`, or release it.
 */
export class ActorStopped extends Schema.TaggedError<ActorStopped>()("ActorStopped", {
  address: Schema.String,
  reason: Schema.String,
  retryAfterMs: Schema.Finite
}) {
  override get message() {
    return `${this.address} has stopped: ${this.reason}; ask again after ${this.retryAfterMs} ms`
  }
}

/** The actor failed upon the message. Nothing of it took effect; it is kept as a dead letter, and can be replayed. */
export class MessageDeadLettered extends Schema.TaggedError<MessageDeadLettered>()("MessageDeadLettered", {
  address: Schema.String,
  /** The dead letter's id, which is the message's. */
  id: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `${this.address} failed upon message ${this.id}, which is a dead letter now: ${this.reason}`
  }
}

/** The message was sent before, and the actor no longer knows what became of it. It was not handled again. */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>()("OutcomeUnknown", {
  address: Schema.String,
  id: Schema.String
}) {
  override get message() {
    return `${this.address} no longer knows what became of message ${this.id}: look at its state before asking again`
  }
}

/** Someone else owns the record now. The activation that learns this stops; ask again and the owner answers. */
export class Fenced extends Schema.TaggedError<Fenced>()("Fenced", {
  key: Schema.String,
  epoch: Schema.Int,
  /** The slot epoch that stands in the record, where it is later than that of who tried. */
  slotEpoch: Schema.optionalKey(Schema.Int)
}) {
  override get message() {
    return `the activation of epoch ${this.epoch} no longer owns ${this.key}`
  }
}

/** NATS did not answer, or refused. Whether a write took effect is unknown until it is read back. */
export class MeshUnavailable extends Schema.TaggedError<MeshUnavailable>()("MeshUnavailable", {
  operation: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `${this.operation}: ${this.reason}`
  }
}

/** Bytes that are not what the protocol says. A bug, or someone else's message. */
export class MalformedMessage extends Schema.TaggedError<MalformedMessage>()("MalformedMessage", {
  what: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.what} can't be read: ${this.problem}`
  }
}

/** The hosts of a cluster must agree, and this one does not. It does not start. */
export class ClusterDisagreement extends Schema.TaggedError<ClusterDisagreement>()("ClusterDisagreement", {
  about: Schema.String,
  ours: Schema.String,
  theirs: Schema.String
}) {
  override get message() {
    return (
      `this host's ${this.about} is ${this.ours}, but the cluster runs with ${this.theirs}: ` +
      "make them equal, or stop the other hosts first"
    )
  }
}

/** A label can't be part of a subject. The host does not start. */
export class InvalidLabel extends Schema.TaggedError<InvalidLabel>()("InvalidLabel", { label: Schema.String }) {
  override get message() {
    return `${JSON.stringify(this.label)} is no label: a letter, then up to 63 letters, digits, "_" or "-"`
  }
}
