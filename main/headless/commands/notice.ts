import { Argument, Option } from 'commander';
import type { Command } from 'commander';
import { Fault } from '../../contract/faults.ts';
import { firstIssue } from '../../contract/first-issue.ts';
import { noticeKinds, noticeSecrets, noticeTargetSchema, type NoticeTarget } from '../../contract/notices.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { printJson, printLine, table, warn } from '../output.ts';
import { readSecretText } from '../passwords.ts';
import { printable } from '../printable.ts';
import { parseCount } from '../units.ts';
import { append, given, type JsonOption } from './options.ts';
import { withService } from './with-service.ts';

interface AddOptions extends JsonOption {
  readonly secretFile?: string;
  readonly forServer?: readonly string[];
  readonly only?: readonly string[];
  readonly ntfyServer?: string;
  readonly topic?: string;
  readonly host?: string;
  readonly port?: string;
  readonly security?: string;
  readonly user?: string;
  readonly from?: string;
  readonly mailTo?: readonly string[];
  /** False for `--no-test`. */
  readonly test: boolean;
}

const kinds = Object.keys(noticeSecrets);

/** Where failures and other news go. */
export function addNotice(program: Command, context: CommandContext): void {
  const { host, end } = context;
  const group = program
    .command('notice')
    .summary('be told of failures')
    .description(
      'Keeps where notices go: of failures, of servers that are overdue, of ended sign-ins, full places, failed test restores, recoveries.',
    );
  group
    .command('add')
    .description('Adds one, or changes the one with this name, and sends a test. Addresses that are secrets themselves are asked for.')
    .argument('<name>', 'small letters, digits and dashes')
    .addArgument(new Argument('<kind>', 'what it is').choices(kinds))
    .option('--secret-file <file>', 'read the address, token or password from a file (else HOLDFAST_NOTICE_SECRET, else a prompt)')
    .option('--for-server <server>', 'only of this server; may be given several times', append)
    .addOption(new Option('--only <kind>', 'only of this kind; may be given several times').choices(noticeKinds).argParser(append))
    .option('--ntfy-server <url>', 'ntfy: another server than ntfy.sh')
    .option('--topic <topic>', 'ntfy: the topic')
    .option('--host <host>', 'email: the mail server')
    .option('--port <port>', 'email: its port (default: 587)')
    .addOption(new Option('--security <how>', 'email: how it is encrypted').choices(['starttls', 'tls', 'none']))
    .option('--user <user>', 'email: the account')
    .option('--from <address>', 'email: the sender')
    .option('--mail-to <address>', 'email: who gets it; may be given several times', append)
    .option('--no-test', 'send no test')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  holdfast notice add phone ntfy --topic my-servers-8ab2')
    .action(async (name: string, kind: NoticeTarget['kind'], options: AddOptions) => {
      const target = targetOf(name, kind, options);
      const secrets = await readSecrets(host, target, options);
      await withService(host, async (service) => {
        await service.call('notice.set', { target, secrets });
        if (options.test) await service.call('notice.test', { name });
      });
      if (options.json === true) await printJson(host, target);
      else await printLine(host, `Notices go to ${name} from now on.${options.test ? ' A test was sent.' : ''}`);
      end(exitCodes.done);
    });
  group
    .command('list')
    .description('Lists where notices go.')
    .option('--json', 'print one JSON document')
    .action(async (options: JsonOption) => {
      const rows = await withService(host, async (service) => await service.call('notices.list', {}));
      if (options.json === true) await printJson(host, rows);
      else {
        const cells = rows.map(({ target }) => [
          target.name,
          target.kind,
          (target.servers ?? ['all']).join(', '),
          (target.only ?? ['everything']).join(', '),
        ]);
        for (const line of table([{ title: 'Name' }, { title: 'Kind' }, { title: 'Servers' }, { title: 'Of' }], cells))
          await printLine(host, printable(line));
        for (const { target, problem } of rows) if (problem !== '') await warn(host, `Notices do not arrive at ${target.name}: ${problem}`);
      }
      end(exitCodes.done);
    });
  for (const [verb, call, says] of [
    ['remove', 'notice.remove', 'Nothing goes there any more.'],
    ['test', 'notice.test', 'A test was sent.'],
  ] as const) {
    group
      .command(verb)
      .description(verb === 'remove' ? 'Forgets one.' : 'Sends a test.')
      .argument('<name>', 'its name')
      .option('--json', 'print one JSON document')
      .action(async (name: string, options: JsonOption) => {
        await withService(host, async (service) => await service.call(call, { name }));
        await (options.json === true ? printJson(host, { name }) : printLine(host, says));
        end(exitCodes.done);
      });
  }
}

function targetOf(name: string, kind: NoticeTarget['kind'], options: AddOptions): NoticeTarget {
  const { forServer, only, ntfyServer, topic, port, security, user, from, mailTo } = options;
  const parsed = noticeTargetSchema.safeParse({
    ...{ name, kind },
    ...given({ servers: forServer, only, topic, security, user, from, host: options.host, to: mailTo, server: ntfyServer }),
    ...(port === undefined ? {} : { port: parseCount(port, '--port', { min: 1, max: 65_535 }) }),
  });
  if (parsed.success) return parsed.data;
  throw new Fault('config-invalid', firstIssue(parsed.error), { operation: 'read the options' });
}

async function readSecrets(host: CliHost, target: NoticeTarget, { secretFile }: AddOptions): Promise<Readonly<Record<string, string>>> {
  const [secret] = noticeSecrets[target.kind];
  if (secret === undefined) return {};
  if (secretFile !== undefined) return { [secret.name]: await readSecretText(secretFile, 'secret file', host) };
  const fromEnvironment = host.env['HOLDFAST_NOTICE_SECRET'];
  if (fromEnvironment !== undefined && fromEnvironment !== '') return { [secret.name]: fromEnvironment };
  const wanted = !secret.optional || ('user' in target && target.user !== undefined);
  if (!wanted || host.askSecret === null) return {};
  const answer = (await host.askSecret(`${secret.says}: `)).trim();
  return answer === '' ? {} : { [secret.name]: answer };
}
