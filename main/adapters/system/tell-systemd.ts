import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Fault } from '../../contract/faults.ts';

const run = promisify(execFile);

/**
 * Tells whoever started this as a unit of Type=notify that it is ready (sd_notify(3)); without one, nothing. By systemd's own program: Node has no
 * sockets of that kind. What this process starts later must not speak for it.
 */
export async function tellSystemdReady(env: NodeJS.ProcessEnv): Promise<void> {
  const socket = env['NOTIFY_SOCKET'];
  delete env['NOTIFY_SOCKET'];
  if (socket === undefined || socket === '') return;
  try {
    await run('systemd-notify', ['--ready'], { env: { ...env, NOTIFY_SOCKET: socket } });
  } catch (error) {
    throw new Fault('unsupported', 'systemd could not be told that the service is ready (systemd-notify)', {
      operation: 'start the service',
      context: { next: 'Install it, or write Type=exec into the unit.' },
      cause: error,
    });
  }
}
