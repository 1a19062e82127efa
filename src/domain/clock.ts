/** The time, passed in, so that tests decide what time it is. */
export type Clock = { now(): Date }

/** The one place that may ask the system for the time of day. */
export const systemClock: Clock = { now: () => new Date() }
