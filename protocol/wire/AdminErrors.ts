/** What can go wrong when an operator asks? */
import { Schema } from "effect"

/** The request is not what the verb takes. Nothing was done: `right` is an example of one that would be taken. */
export class InvalidAdminRequest extends Schema.TaggedError<InvalidAdminRequest>()("InvalidAdminRequest", {
  verb: Schema.String,
  problem: Schema.String,
  /** In JSON. */
  right: Schema.String
}) {
  override get message() {
    return `this is no request for ${this.verb}: ${this.problem}; one would be ${this.right}`
  }
}

/** No host that lives has the label or the incarnation. Name one of those that are known. */
export class UnknownHost extends Schema.TaggedError<UnknownHost>()("UnknownHost", {
  host: Schema.String,
  /** The labels of the hosts that live. */
  known: Schema.Array(Schema.String)
}) {
  override get message() {
    return `no host is called ${this.host}: those that live are ${this.known.join(", ")}`
  }
}

/** Several hosts that live have the label. Nothing was done: name the one that is meant by its incarnation. */
export class AmbiguousHost extends Schema.TaggedError<AmbiguousHost>()("AmbiguousHost", {
  host: Schema.String,
  incarnations: Schema.Array(Schema.String)
}) {
  override get message() {
    const { host, incarnations } = this
    const names = incarnations.join(" or ")
    return `${incarnations.length} hosts are called ${host}: name the one by its incarnation, ${names}`
  }
}

/** The host lives, as its session says, and could not be told. Whether it does what was asked is unknown. */
export class HostUnreachable extends Schema.TaggedError<HostUnreachable>()("HostUnreachable", {
  host: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `host ${this.host} can't be told: ${this.reason}`
  }
}

/** Nobody has the actor, and there is no state record of it: it was never used, or its type keeps nothing. */
export class UnknownActor extends Schema.TaggedError<UnknownActor>()("UnknownActor", {
  type: Schema.String,
  key: Schema.String
}) {
  override get message() {
    return `there is no record of ${this.type}/${this.key}, and no host that answers has it`
  }
}

/** There is no dead letter of that id: it was replayed, or its month is over. Nothing was done. */
export class UnknownLetter extends Schema.TaggedError<UnknownLetter>()("UnknownLetter", {
  id: Schema.String
}) {
  override get message() {
    return `there is no dead letter ${this.id}: list those that there are`
  }
}

/**
 * Letters of several actors have the id, since whoever sends a message may choose its id. Nothing was done: each of the
 * messages can be sent again by whoever sent it.
 */
export class AmbiguousLetter extends Schema.TaggedError<AmbiguousLetter>()("AmbiguousLetter", {
  id: Schema.String,
  /** The actors that have one, as `type/key`. */
  addresses: Schema.Array(Schema.String)
}) {
  override get message() {
    const { addresses, id } = this
    return `${addresses.length} dead letters have the id ${id}, and none was replayed: of ${addresses.join(" and ")}`
  }
}

/** The answer is larger than the server carries. Ask for less, or raise the server's `max_payload`. */
export class AnswerTooLarge extends Schema.TaggedError<AnswerTooLarge>()("AnswerTooLarge", {
  bytes: Schema.Int,
  bytesMax: Schema.Int
}) {
  override get message() {
    return `the answer has ${this.bytes} bytes, and the server carries ${this.bytesMax}: ask for less`
  }
}
