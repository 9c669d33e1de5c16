/**
 * BullMQ ships the text of its scripts and says no types for the place where
 * Node finds it. Only the scripts that this folder uses stand here.
 */
declare module 'bullmq/dist/cjs/scripts/index.js' {
  interface BullMQScript {
    content: string
    /** How many of the arguments are keys; they come first. */
    keys: number
  }
  export const addStandardJob: BullMQScript
}
