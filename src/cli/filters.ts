/**
 * The admin API's filters as flags: the same names, in kebab-case.
 *
 * What a filter may hold is the gateway's to judge: values are passed on as
 * they were written, lists with their commas, times as `2h` or ISO 8601.
 */
import { InvalidArgumentError, type Command } from 'commander'
import { DELIVERY_STATES } from '../model/delivery.js'
import { FLAG_CHOICES } from '../model/event.js'
import type { Query } from './admin-api.js'

/** As commander gives them; absent when not said. */
export interface FilterFlags {
  taskId?: string
  type?: string
  status?: string
  businessId?: string
  subscriber?: string
  state?: string
  flag?: string
  since?: string
  until?: string
}

/** Adds the flags that say which events or deliveries are meant; @param states  to choose from, `null` when there is no choice */
export function addFilters (command: Command, states: string | null = DELIVERY_STATES.join(', ')): Command {
  command
    .optionsGroup('Filters (all must match; separate several values with commas, and write \\, for a comma within a value):')
    .option('--task-id <ids>', 'id of Fotor\'s task')
    .option('--type <types>', 'type of the task, such as avatar; end with * to match every type that starts this way')
    .option('--status <numbers>', 'status of the task: 0 in progress, 1 completed, 2 failed, …')
    .option('--business-id <ids>', 'businessId of the Fotor tenant')
    .option('--subscriber <names>', 'only deliveries to these subscribers')
  if (states !== null) command.option('--state <states>', `state of the delivery: ${states}`)
  return command
    .option('--flag <flags>', `flag of the event: ${FLAG_CHOICES}`)
    .option('--since <time>', 'received at or after this time: an age (30m, 2h, 7d) or a time (2026-03-01T12:00:00Z)')
    .option('--until <time>', 'received before this time, in the same form')
}

const NAMES = ['taskId', 'type', 'status', 'businessId', 'subscriber', 'state', 'flag', 'since', 'until'] as const

/** The filters as the API reads them, in a query or a body; only those that were said. */
export function filtersOf (flags: FilterFlags): Query {
  return Object.fromEntries(NAMES.filter(name => flags[name] !== undefined).map(name => [name, flags[name]]))
}

/** One value of a filter, as it is written where several could stand. */
export function oneValue (value: string): string {
  return value.replace(/[\\,]/g, '\\$&')
}

/** Reads a whole number of at least `least`, for commander. */
export function wholeNumber (least: number, most: number): (written: string) => number {
  return written => {
    const number = Number(written)
    if (/^\d{1,15}$/.test(written) && number >= least && number <= most) return number
    throw new InvalidArgumentError(`It takes a whole number from ${least} to ${most}.`)
  }
}

/** Collects a flag that may be repeated, and lists with commas, for commander. */
export function collect (written: string, before: string[] = []): string[] {
  return [...before, ...written.split(',').map(part => part.trim()).filter(part => part !== '')]
}
