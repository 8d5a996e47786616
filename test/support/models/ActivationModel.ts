/**
 * Who may write an actor's record now?
 *
 * Whoever wrote it last, and nobody else: an activation by its stamp, and then by each of its saves.
 */

/** The record of one actor, as it must be. */
export interface ActivationModel {
  epoch: number
  slotEpoch: number
  value: number
  /** Counts the writes; whoever knows the count may write. */
  writes: number
  /** By activation: the count when it wrote last. Those that must step down are gone. */
  readonly living: Map<number, number>
}

/** An actor without a record. */
export const make = (): ActivationModel => ({ epoch: 0, slotEpoch: 0, value: 0, writes: 0, living: new Map() })

/** An activation stamps the record, unless a later owner of the slot has. */
export const stamp = (model: ActivationModel, slotEpoch: number): boolean => {
  if (model.writes > 0 && model.slotEpoch > slotEpoch) return false
  model.epoch += 1
  model.slotEpoch = slotEpoch
  model.writes += 1
  return true
}

/** An activation saves a value, unless another has written since. */
export const save = (model: ActivationModel, activation: number, value: number): boolean => {
  if (model.living.get(activation) !== model.writes) return false
  model.value = value
  model.writes += 1
  return true
}
