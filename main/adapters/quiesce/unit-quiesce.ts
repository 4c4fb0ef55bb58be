import type { QuiesceSettings } from '../../contract/server-settings.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Quiesce } from '../../engine/service/ports.ts';
import { runCommand } from '../system/run-command.ts';

/** A game saves its world before it ends; Docker kills one that takes longer than it is given. */
const stopSeconds = 120;
const timeoutMs = (stopSeconds + 60) * 1000;

/** Stopped while its folder is read, by whoever runs it. Starting what runs already changes nothing. */
export function unitQuiesce(settings: Extract<QuiesceSettings, { kind: 'systemd' | 'docker' }>, clock: Clock): Quiesce {
  const { stop, start } = commandsOf(settings);
  const pause = (signal: AbortSignal): Promise<void> => runCommand(stop, { clock, timeoutMs, signal });
  const resume = (): Promise<void> => runCommand(start, { clock, timeoutMs });
  return { pause, resume, stop: pause, start: resume };
}

/** `--` before names: none of them may be taken for an option. */
function commandsOf(settings: Extract<QuiesceSettings, { kind: 'systemd' | 'docker' }>): {
  readonly stop: readonly string[];
  readonly start: readonly string[];
} {
  if (settings.kind === 'docker') {
    const { container } = settings;
    return { stop: ['docker', 'stop', '-t', String(stopSeconds), '--', container], start: ['docker', 'start', '--', container] };
  }
  const systemctl = ['systemctl', ...(settings.user ? ['--user'] : ['--system']), '--no-ask-password'];
  return { stop: [...systemctl, 'stop', '--', settings.unit], start: [...systemctl, 'start', '--', settings.unit] };
}
