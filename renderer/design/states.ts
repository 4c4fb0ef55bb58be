import type { Job } from '../../main/contract/jobs.ts';
import type { ServerState } from '../../main/contract/server-status.ts';
import type { IconName } from './icons.ts';

/** The colours of a state; see tokens.css. */
export type Tone = 'ok' | 'run' | 'late' | 'fail' | 'sign' | 'rest';

export const toneOf: Readonly<Record<ServerState, Tone>> = {
  new: 'rest',
  ok: 'ok',
  running: 'run',
  late: 'late',
  overdue: 'late',
  failed: 'fail',
  paused: 'rest',
  'sign-in-needed': 'sign',
};

export const stateIcon: Readonly<Record<ServerState, IconName>> = {
  new: 'state-new',
  ok: 'state-ok',
  running: 'state-run',
  late: 'state-late',
  overdue: 'state-late',
  failed: 'state-fail',
  paused: 'state-rest',
  'sign-in-needed': 'state-sign',
};

export const jobTone: Readonly<Record<Job['state'], Tone>> = {
  waiting: 'rest',
  running: 'run',
  done: 'ok',
  failed: 'fail',
  cancelled: 'rest',
  interrupted: 'late',
};

export const jobIcon: Readonly<Record<Job['state'], IconName>> = {
  waiting: 'state-late',
  running: 'state-run',
  done: 'state-ok',
  failed: 'state-fail',
  cancelled: 'state-rest',
  interrupted: 'state-late',
};
