import { Fault } from '../../contract/faults.ts';
import type { QuiesceSettings } from '../../contract/server-settings.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Quiesce } from '../../engine/service/ports.ts';
import { throwIfCancelled } from '../../engine/storage/cancel.ts';
import { commandOutput, runCommand } from '../system/run-command.ts';
import { systemctl, systemctlEnvironment } from '../system/systemctl.ts';

/** A game saves its world before it ends; Docker kills one that takes longer than it is given. */
const stopSeconds = 120;
const timeoutMs = (stopSeconds + 60) * 1000;

/** Stopped while its folder is read, by whoever runs it. Starting what runs already changes nothing. */
export function unitQuiesce(
  settings: Extract<QuiesceSettings, { kind: 'systemd' | 'docker' }>,
  clock: Clock,
  redact: (text: string) => string = (text) => text,
): Quiesce {
  const { stop, start, state } = commandsOf(settings);
  const options = { clock, timeoutMs, redact, environment: systemctlEnvironment(settings.kind === 'systemd' && settings.user) };
  const pause = async (signal: AbortSignal): Promise<void> => {
    // A Docker that was told to stop goes on stopping without its client: started meanwhile, the container would end after all.
    if (settings.kind === 'docker') {
      throwIfCancelled(signal, 'pause');
      await runCommand(stop, options);
      throwIfCancelled(signal, 'pause');
    } else await runCommand(stop, { ...options, signal });
  };
  const resume = (): Promise<void> => runCommand(start, options);
  const isRunning = async (signal: AbortSignal): Promise<boolean> => {
    const said = await commandOutput(state, { ...options, signal });
    return settings.kind === 'docker' ? said.trim() !== 'false' : unitRuns(said, settings.unit);
  };
  const stopped = async (signal: AbortSignal): Promise<boolean> => {
    await pause(signal);
    return true;
  };
  return { pause, resume, isRunning, stop: stopped, start: resume };
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
  const command = systemctl(settings.user);
  return {
    stop: [...command, 'stop', '--', settings.unit],
    start: [...command, 'start', '--', settings.unit],
    state: [...command, 'show', '--property=LoadState,ActiveState', '--', settings.unit],
  };
}

/**
 * It is active, reloading, activating, deactivating, inactive or failed; what nobody knows counts as running. Of a unit that does not exist systemd says
 * that it is inactive, without a word about its name; and one that is there no more, or masked, could be stopped, but not started again.
 */
function unitRuns(said: string, unit: string): boolean {
  const value = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(said)?.[1] ?? '';
  const runs = !['inactive', 'failed'].includes(value('ActiveState'));
  const state = value('LoadState');
  if (state === 'not-found' || (runs && state === 'masked')) {
    throw new Fault('config-invalid', `systemd has no unit ${unit} that it could start (${state})`, {
      operation: 'look at the unit',
      context: { unit, next: 'See “systemctl list-unit-files”, then “holdfast server edit NAME --systemd-unit UNIT” or “--no-quiesce”.' },
    });
  }
  return runs;
}
