/**
 * What must be true of the CronJob that orders reloads: it asks where an admin
 * listener is, with a token that is known there, and the way is open. Each
 * rule tells what breaks it, as `Kind/name: …`.
 */
import type { ICronJob } from 'kubernetes-models/batch/v1'
import type { IService } from 'kubernetes-models/v1'
import type { Deployed, Rule } from './deployed.js'
import { allOf, idOf, selects, type Manifest, type Pods } from './manifests.js'
import { secretBehind } from './pod-rules.js'
import { containerPort, peersTo, podsBehind } from './way-rules.js'

/** Looked through once for every rule. */
interface Order {
  job: ICronJob
  /** The pods that ask. */
  own: Pods
  url: string
  tokenFile: string
  /** The pods that are asked. */
  asked: Pods[]
  deployed: Deployed
}

type OrderRule = (order: Order) => string[]

const ORDER_RULES: OrderRule[] = [
  function command ({ own }) {
    const [command] = own.spec.containers[0]?.args ?? []
    return command === 'reload' ? [] : [`runs ${command}`]
  },
  function address ({ url, asked }) {
    return asked.length > 0 ? [] : [`asks ${url}, where no admin listener is`]
  },
  function token ({ own, asked, tokenFile, deployed }) {
    const mine = secretBehind(own.spec, tokenFile)
    const theirs = asked[0] === undefined || !deployed.secretFiles.includes(tokenFile) ? null : secretBehind(asked[0].spec, tokenFile)
    const isKnown = mine !== null && mine.key === theirs?.key && mine.secret.secretName === theirs.secret.secretName
    return [
      ...isKnown ? [] : [`has ${tokenFile}, a token that no gateway knows`],
      ...mine?.secret.items?.length === 1 ? [] : ['sees tokens of others']
    ]
  },
  function wayIn ({ own, asked, deployed: { manifests } }) {
    const isLetIn = (pods: Pods): boolean => peersTo(manifests, pods, 'admin').some(({ podSelector, namespaceSelector }) =>
      namespaceSelector === undefined && selects(podSelector ?? {}, own.labels))
    return asked.every(isLetIn) ? [] : ['is not let in']
  },
  function wayOut ({ own, asked, deployed: { manifests } }) {
    const ways = allOf(manifests, 'NetworkPolicy').filter(({ spec }) => selects(spec?.podSelector ?? {}, own.labels)).flatMap(({ spec }) => spec?.egress ?? [])
    const isLetOut = (pods: Pods): boolean => ways.some(({ to = [], ports = [] }) =>
      to.some(({ podSelector }) => selects(podSelector ?? {}, pods.labels)) && ports.some(({ port }) => port === containerPort(pods, 'admin')))
    return asked.every(isLetOut) ? [] : ['is not let out']
  },
  function oneAtATime ({ job, own }) {
    return job.spec?.concurrencyPolicy === 'Forbid' && own.spec.restartPolicy === 'Never' ? [] : ['may run twice at once']
  }
]

export const reloadRules: Rule[] = ORDER_RULES.map(rule => deployed =>
  ordersIn(deployed).flatMap(order => rule(order).map(problem => `${idOf(order.job)}: ${problem}`)))

function ordersIn (deployed: Deployed): Order[] {
  return allOf(deployed.manifests, 'CronJob').map(job => {
    const own = deployed.pods.find(({ id }) => id === idOf(job))!
    const [, , url = '', , tokenFile = ''] = own.spec.containers[0]?.args ?? []
    const service = adminServiceAt(url, deployed.manifests)
    return { job, own, url, tokenFile, asked: service === undefined ? [] : podsBehind(service, deployed.pods), deployed }
  })
}

function adminServiceAt (url: string, manifests: readonly Manifest[]): IService | undefined {
  const { hostname, port } = new URL(url)
  return allOf(manifests, 'Service').find(({ metadata, spec }) =>
    metadata?.name === hostname && spec?.ports?.some(one => String(one.port) === port && one.targetPort === 'admin'))
}
