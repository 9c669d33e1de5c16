/**
 * `fotor-relay alerts`: lists active alerts and their receivers. With `--test`,
 * sends a test to each receiver.
 */
import type { Command } from 'commander'
import type { AlertAnswer, Page, ReceiverTestAnswer } from '../../admin/answers.js'
import { addApiOptions, addExamples, addJsonOption, openApi } from '../api-command.js'
import type { ApiFlags } from '../command-line.js'
import type { ProgramDeps } from '../deps.js'
import { CommandFailure } from '../failure.js'
import type { Terminal } from '../terminal.js'
import { ago } from '../times.js'

interface AlertsFlags extends ApiFlags { json?: true, test?: true }

/** Adds the command. */
export function addAlerts (program: Command, deps: ProgramDeps): void {
  const command = program.command('alerts')
    .description('List active alerts of the relay and of the process that answers, and the receivers that were told.')
    .option('--test', 'send a test alert to every receiver and show the answers')
    .action(async (flags: AlertsFlags) => { await (flags.test === true ? testReceivers(flags, deps) : listAlerts(flags, deps)) })
  addJsonOption(command)
  addExamples(addApiOptions(command), [
    ['alerts', 'active alerts, the oldest first'],
    ['alerts --test', 'after a change of alerts.receivers: does a message arrive?']
  ])
}

async function listAlerts ({ json, ...place }: AlertsFlags, deps: ProgramDeps): Promise<void> {
  const { terminal } = deps
  const api = await openApi(place, deps)
  const page = await api.get<Page<AlertAnswer>>('/alerts')
  if (json === true) return terminal.json(page)
  if (page.items.length === 0) return terminal.error('Nothing needs an operator.')
  writeAlerts(page.items, terminal)
}

function writeAlerts (alerts: readonly AlertAnswer[], terminal: Terminal): void {
  const { paint } = terminal
  const nowMs = Date.now()
  terminal.table(alerts, [
    { title: 'since', text: ({ since }) => ago(since, nowMs) },
    { title: 'severity', text: ({ severity }) => severity, paint: (cell, { severity }) => severity === 'critical' ? paint.red(cell) : paint.yellow(cell) },
    { title: 'alert', text: ({ name }) => name, least: 12 },
    { title: 'summary', text: ({ summary }) => summary, least: 20 },
    { title: 'told', text: ({ toldTo }) => toldTo.length === 0 ? 'nobody yet' : toldTo.join(', '), least: 10 }
  ])
}

async function testReceivers ({ json, ...place }: AlertsFlags, deps: ProgramDeps): Promise<void> {
  const { terminal } = deps
  const api = await openApi(place, deps)
  const page = await api.post<Page<ReceiverTestAnswer>>('/alerts/test')
  if (json === true) terminal.json(page)
  else {
    const { paint } = terminal
    terminal.table(page.items, [
      { title: 'receiver', text: ({ receiver }) => receiver, least: 10 },
      { title: 'says', text: ({ statusCode, error }) => error ?? `accepted (${statusCode})`, least: 10, paint: (cell, { error }) => error === null ? paint.green(cell) : paint.red(cell) }
    ])
  }
  const refusing = page.items.filter(({ error }) => error !== null)
  if (refusing.length === 0) return
  throw new CommandFailure(`${refusing.map(({ receiver }) => receiver).join(', ')} did not accept the test`, {
    nextSteps: ['correct url, headers and secrets under alerts.receivers, reload, then test again', 'no alert is lost: the gateway sends it again until the receiver accepts it']
  })
}
