import type { ServerStatus } from '../../main/contract/server-status.ts';
import { t, tOf } from './language.svelte.ts';

/** How a server is, in a word or two. */
export function stateWord({ state, running }: Pick<ServerStatus, 'state' | 'running'>): string {
  if (state === 'running') return t(`state.running.${running?.kind ?? 'backup'}`);
  return state === 'late' && running !== null ? t('state.lateRunning') : tOf(`state.${state}`, state);
}
