/**
 * Finds the places of the events of tasks: a task with few events knows them itself;
 * a task with many has an index, which is walked like any other. Never writes.
 */
import { loadScript, runScript } from '../redis/script.js'
import type { RecordStore } from './store.js'

const COUNT = loadScript(new URL('./count-task-events.lua', import.meta.url))

/** The places of some events, each event once. */
export interface EventPlaces {
  /** Keys of indexes by sequence. */
  indexes: string[]
  /** Ids of events that are in none of these indexes. */
  ids: string[]
  /** The number of all these events. */
  count: number
}

/**
 * Finds the events of tasks, including those of test events.
 *
 * @throws errors of ioredis
 */
export async function findTaskEvents (store: RecordStore, taskIds: readonly string[]): Promise<EventPlaces> {
  const { keys } = store
  const found = await Promise.all([...new Set(taskIds)].flatMap(taskId => [
    findOne(store, keys.task(taskId), keys.eventsOfTask(taskId)),
    findOne(store, keys.testTask(taskId), keys.eventsOfTestTask(taskId))
  ]))
  return {
    indexes: found.flatMap(({ indexes }) => indexes),
    ids: found.flatMap(({ ids }) => ids),
    count: found.reduce((sum, { count }) => sum + count, 0)
  }
}

async function findOne ({ redis }: RecordStore, task: string, index: string): Promise<EventPlaces> {
  const [fields, indexed, count] = await runScript(redis, COUNT, { keys: [task, index], args: [] }) as [number, number, number]
  if (fields === 0) return { indexes: [], ids: [], count: 0 }
  if (indexed === fields && count > 0) return { indexes: [index], ids: [], count }
  const ids = eventsIn(await redis.hgetall(task))
  return { indexes: [], ids, count: ids.length }
}

function eventsIn (fields: Record<string, string>): string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    if (name.startsWith('c:')) return [value.split(' ')[0]!]
    return name.startsWith('e:') ? [name.slice(2)] : []
  })
}
