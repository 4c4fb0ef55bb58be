import { asFault } from '../../contract/faults.ts';
import type { Connection } from '../../compose/service/connect.ts';
import { isAnyAtRest } from '../../compose/service/places.ts';
import type { CliHost } from '../host.ts';
import { warn } from '../output.ts';

/** Does with the service what a command asks for, and ends what it began here. */
export async function withService<T>(host: CliHost, work: (service: Connection) => Promise<T>): Promise<T> {
  // Loaded with the whole contract, which a command that needs no service does without.
  const { connect } = await import('../../compose/service/connect.ts');
  const service = await connect(host);
  try {
    return await work(service);
  } finally {
    const failure = await service.close();
    if (failure !== null) await warn(host, `What this command found out is not kept: ${failure.message}`);
  }
}

/** For a command that needs no service: servers that a run which is gone has left at rest are told to go on. It fails nothing. */
export async function takeUpLeft(host: CliHost): Promise<void> {
  if (!(await isAnyAtRest(host.env))) return;
  try {
    await (await import('../../compose/service/connect.ts')).takeUpLeft(host);
  } catch (error) {
    await warn(host, `A server was left at rest, and could not be told to go on: ${asFault(error, 'resume').message}`);
  }
}
