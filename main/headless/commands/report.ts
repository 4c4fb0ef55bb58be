import type { Command } from 'commander';
import { redactor } from '../../adapters/logs/redactor.ts';
import { asFault } from '../../contract/faults.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { refuseExisting, writeNewFile } from '../new-file.ts';
import { note, printJson, printLine } from '../output.ts';
import { pathArgument } from '../path-argument.ts';
import type { Connection } from '../../compose/service/connect.ts';
import { servicePlaces } from '../../compose/service/places.ts';
import type { JsonOption } from './options.ts';

export function addReport(program: Command, { host, end }: CommandContext): void {
  program
    .command('report')
    .summary('write down what helpers need to see')
    .description(
      'Writes a text for who helps you: versions, settings, states, jobs and the log, without any secret. Read it before you give it away.',
    )
    .argument('[file]', 'the file to make', 'holdfast-report.txt')
    .option('--json', 'print one JSON document')
    .action(async (file: string, options: JsonOption) => {
      const path = pathArgument(host.cwd, file, 'FILE');
      await refuseExisting(path);
      const places = await servicePlaces();
      const [service, problem] = await reached(host);
      try {
        const { supportReport } = await import('../../compose/service/report.ts');
        const text = await supportReport({ host, places, redactor: redactor(), service, problem });
        await writeNewFile(path, [Buffer.from(text)]);
      } finally {
        await service?.close();
      }
      if (options.json === true) await printJson(host, { file: path });
      else {
        await printLine(host, `${file} is written.`);
        await note(
          host,
          'It names your folders, servers and backup places; it holds no password, key or token. Read it before you give it away.',
        );
      }
      end(exitCodes.done);
    });
}

/** A report is most wanted when something does not work. */
async function reached(host: CliHost): Promise<readonly [Connection | null, string]> {
  try {
    const { connect } = await import('../../compose/service/connect.ts');
    return [await connect(host), ''];
  } catch (error) {
    return [null, asFault(error, 'connect').message];
  }
}
