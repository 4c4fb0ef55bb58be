import type { CliHost } from '../host.ts';
import type { Connection } from '../../compose/service/connect.ts';

/** Does with the service what a command asks for, and ends what it began here. */
export async function withService<T>(host: CliHost, work: (service: Connection) => Promise<T>): Promise<T> {
  // Loaded with the whole contract, which a command that needs no service does without.
  const { connect } = await import('../../compose/service/connect.ts');
  const service = await connect(host);
  try {
    return await work(service);
  } finally {
    await service.close();
  }
}
