import type { QuiesceSettings } from '../../contract/server-settings.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Quiesce } from '../../engine/service/ports.ts';
import { commandOutput, runCommand } from '../system/run-command.ts';

/** A game saves its world before it ends; Docker kills one that takes longer than it is given. */
const stopSeconds = 120;
const timeoutMs = (stopSeconds + 60) * 1000;

/** Stopped while its folder is read, by whoever runs it. Starting what runs already changes nothing. */
export function unitQuiesce(settings: Extract<QuiesceSettings, { kind: 'systemd' | 'docker' }>, clock: Clock): Quiesce {
  const { stop, start, state } = commandsOf(settings);
  const pause = (signal: AbortSignal): Promise<void> => runCommand(stop, { clock, timeoutMs, signal });
  const resume = (): Promise<void> => runCommand(start, { clock, timeoutMs });
  const isRunning = async (signal: AbortSignal): Promise<boolean> =>
    isOn((await commandOutput(state, { clock, timeoutMs, signal })).trim());
  return { pause, resume, isRunning, stop: pause, start: resume };
}

/** `--` before names: none of them may be taken for an option. */
function commandsOf(settings: Extract<QuiesceSettings, { kind: 'systemd' | 'docker' }>): {
  readonly stop: readonly string[];
  readonly start: readonly string[];
  /** Prints how it is. */
  readonly state: readonly string[];
} {
  if (settings.kind === 'docker') {
    const { container } = settings;
    return {
      stop: ['docker', 'stop', '-t', String(stopSeconds), '--', container],
      start: ['docker', 'start', '--', container],
      state: ['docker', 'inspect', '--format', '{{.State.Running}}', '--', container],
    };
  }
  const systemctl = ['systemctl', ...(settings.user ? ['--user'] : ['--system']), '--no-ask-password'];
  return {
    stop: [...systemctl, 'stop', '--', settings.unit],
    start: [...systemctl, 'start', '--', settings.unit],
    state: [...systemctl, 'show', '--property=ActiveState', '--value', '--', settings.unit],
  };
}

/** Docker says true or false; systemd one of active, reloading, activating, deactivating, inactive, failed. What nobody knows counts as running. */
function isOn(said: string): boolean {
  return !['false', 'inactive', 'failed'].includes(said);
}
