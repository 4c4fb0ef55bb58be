import { Command, CommanderError } from 'commander';
import { faultTexts, nextStep } from '../contract/fault-texts.ts';
import { asFault, Fault } from '../contract/faults.ts';
import { commandGroups, commandNames } from './command-groups.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import type { CliHost, CommandContext } from './host.ts';
import { printFault, printFaultJson } from './output.ts';

/** Runs one command line (without the names of node and script) and settles to the exit code. Never rejects for a fault of the run. */
export async function runCli(args: readonly string[], host: CliHost): Promise<number> {
  let exitCode: number = exitCodes.done;
  // Commander writes synchronously; what it wrote goes out once it is done.
  const texts = { out: '', err: '' };
  // Help tells of them all.
  const only = commandNames.find((name) => name === args[0] && name !== 'help') ?? null;
  const program = await buildProgram({ host, end: (code) => (exitCode = code) }, texts, only);
  try {
    // While the modules were loaded: no command has to ask for itself.
    host.signal.throwIfAborted();
    refuseBrokenArguments(args);
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && isHelp(error)) exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    else exitCode = await tell(error, args, host);
  }
  if (texts.out !== '') await host.stdout.write(texts.out);
  if (texts.err !== '') await host.stderr.write(texts.err);
  return exitCode;
}

/** With one command alone where that is all that is asked for: to load the others takes as long as most have to do. */
async function buildProgram(context: CommandContext, texts: { out: string; err: string }, only: string | null): Promise<Command> {
  const { host } = context;
  const program = new Command('holdfast');
  program
    .description('Keeps a server’s folder safe off-site, encrypted before it leaves, and brings it back with one command.')
    .version(host.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    // Else a group that is a command itself would take the --json that is meant for one below it.
    .enablePositionalOptions()
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => (texts.out += text),
      writeErr: (text) => (texts.err += text),
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(host.stdout.columns, 110),
      getErrHelpWidth: () => Math.min(host.stderr.columns, 110),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', '\n`holdfast COMMAND --help` has an example; `holdfast help exit-codes` lists the exit codes.');
  for (const { heading, commands } of commandGroups) {
    const wanted = commands.filter(({ name }) => only === null || name === only);
    if (wanted.length > 0) program.commandsGroup(heading);
    for (const { load } of wanted) {
      const add = await load();
      add(program, context);
    }
  }
  return program;
}

/** Node turns bytes of an argument that are no UTF-8 into U+FFFD: the file meant cannot be named any more, and another must not be made. */
function refuseBrokenArguments(args: readonly string[]): void {
  const index = args.findIndex((arg) => arg.includes('\ufffd'));
  if (index < 0) return;
  throw new Fault(
    'config-invalid',
    `Argument ${index + 1} is not valid UTF-8; name the folder above, or a link with a plain name. Names inside a folder may be any bytes`,
    { operation: 'read the arguments' },
  );
}

function isHelp(error: CommanderError): boolean {
  return ['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(error.code);
}

/** Prints what went wrong, as text or as the one JSON document, and settles to the exit code. */
export async function tell(error: unknown, args: readonly string[], host: CliHost): Promise<number> {
  const name = commandNames.find((command) => command === args.find((arg) => !arg.startsWith('-')));
  const usage = error instanceof CommanderError;
  const fault = usage
    ? new Fault('config-invalid', error.message.replace(/^error: /, '').replaceAll('\n', ' '), { operation: 'read the arguments' })
    : cancelledByUser(asFault(error, name ?? 'run'), host);
  const text = faultTexts[fault.code];
  const next = usage ? `Run: holdfast ${name === undefined ? '' : `${name} `}--help` : nextStep(fault);
  const operation = fault.operation === '' ? (name ?? 'run') : fault.operation;
  await (asksForJson(args) ? printFaultJson(host, fault, { operation, next }) : printFault(host, fault, { ...text, next }));
  return exitCodeOf(fault.code);
}

/** After Ctrl-C whatever breaks breaks because of it. */
function cancelledByUser(fault: Fault, host: CliHost): Fault {
  if (!host.signal.aborted || fault.code === 'cancelled') return fault;
  return new Fault('cancelled', 'Cancelled', { operation: fault.operation, cause: fault });
}

/** Read from the raw arguments: a command line that cannot be parsed must be answered in JSON too. */
function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? args.length : end).includes('--json');
}
