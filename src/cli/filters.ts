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

/** Adds the flags that say which events or deliveries are meant. */
export function addFilters (command: Command, states: string = DELIVERY_STATES.join(', ')): Command {
  return command
    .optionsGroup('Which ones (all that are given must fit; several values with commas):')
    .option('--task-id <ids>', 'Fotor\'s task')
    .option('--type <types>', 'type of the task, such as avatar; a * at the end for all that start so')
    .option('--status <numbers>', 'Fotor\'s status: 0 in progress, 1 completed, 2 failed, …')
    .option('--business-id <ids>', 'Fotor tenant')
    .option('--subscriber <names>', 'only what is owed to these subscribers')
    .option('--state <states>', `state of the delivery: ${states}`)
    .option('--flag <flags>', `what was noticed about the event: ${FLAG_CHOICES}`)
    .option('--since <time>', 'arrived since: how long ago (30m, 2h, 7d) or a time (2026-03-01T12:00:00Z)')
    .option('--until <time>', 'arrived before, written the same way')
}

const NAMES = ['taskId', 'type', 'status', 'businessId', 'subscriber', 'state', 'flag', 'since', 'until'] as const

/** The filters as the API reads them, in a query or a body; only those that were said. */
export function filtersOf (flags: FilterFlags): Query {
  return Object.fromEntries(NAMES.filter(name => flags[name] !== undefined).map(name => [name, flags[name]]))
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
