import { basename } from 'node:path';
import type { Command } from 'commander';
import { asFault, Fault } from '../../contract/faults.ts';
import type { ArchiveFormat, Warning } from '../../contract/reports.ts';
import { exitCodeOfReport } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { sha256InManifest, type NamedSha256 } from '../manifest-beside.ts';
import { writeNewFile } from '../new-file.ts';
import { printJson, printLine, printWarnings } from '../output.ts';
import { readCredentials } from '../passwords.ts';
import type { PasswordOptions } from '../passwords.ts';
import { pathArgument } from '../path-argument.ts';
import { printable } from '../printable.ts';
import { progressLine } from '../progress.ts';
import { findVault, readSealedFile, recordedSha256 } from '../sealed-file.ts';
import type { SealedFile } from '../sealed-file.ts';
import { formatSize } from '../units.ts';
import { given, withPassword } from './options.ts';
import type { JsonOption } from './options.ts';

interface Options extends PasswordOptions, JsonOption {
  readonly output?: string;
  readonly vault?: string;
}

const operation = 'open a sealed file';
const endings = { zip: '.zip', 'json-lines': '.jsonl' } as const;

export function addOpen(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('open')
    .summary('open one sealed file, without its destination')
    .description('Turns a sealed file on this computer into its ZIP, or a manifest into its JSON lines.')
    .argument('<file>', 'an archive (.holdfast, .zip.zst.enc) or a manifest (.manifest)')
    .option('-o, --output <file>', 'the file to write (default: the same name with .zip or .jsonl); never replaced; - is standard output')
    .option('--vault <file>', 'the holdfast.vault of the destination (default: found in the folder of the file or the one above)')
    .option('--json', 'print one JSON document');
  withPassword(command)
    .addHelpText('after', '\nExample:\n  holdfast open 20261123T220500Z-k3v9qa.holdfast -o survival.zip')
    .action(async (name: string, options: Options) => {
      const toStdout = options.output === '-';
      if (toStdout && options.json === true)
        throw new Fault('config-invalid', '-o - and --json both want standard output; give one of them', { operation });
      const path = pathArgument(host.cwd, name, 'FILE');
      const file = await readSealedFile(path);
      const vault = await findVault(path, options.vault === undefined ? undefined : pathArgument(host.cwd, options.vault, '--vault'));
      const credentials = await readCredentials(options, host);
      const engine = await host.openEngine();
      const progress = progressLine(host);
      try {
        const source = counted(file, progress.onProgress);
        const request = { credentials, ...given({ vault, format: formatOf(path) }) };
        const { kind, content } = await engine.openFile(source, request, { signal: host.signal });
        const warnings: Warning[] = [];
        const inManifest = (): Promise<NamedSha256 | null> => sha256InManifest(path, engine, request, host.signal);
        const checked = withChecksum(content, file, kind, { warnings, inManifest });
        if (toStdout) await copy(host, checked);
        else {
          const out = pathArgument(host.cwd, options.output ?? `${withoutEnding(path)}${endings[kind]}`, '--output');
          const bytes = await writeNewFile(out, checked);
          await progress.finish();
          const line = `${printable(out)}: ${kind === 'zip' ? 'the ZIP' : 'the JSON lines'}, ${formatSize(bytes)}`;
          await (options.json === true ? printJson(host, { file: out, kind, bytes, warnings }) : printLine(host, line));
        }
        await printWarnings(host, warnings);
        end(exitCodeOfReport({ warnings }));
      } finally {
        await progress.finish();
      }
    });
}

/** The content, and after its last byte a fault when the stored bytes are not the ones that their .sha256 and the manifest beside them speak of. */
async function* withChecksum(
  content: AsyncIterable<Uint8Array>,
  file: SealedFile,
  kind: keyof typeof endings,
  { warnings, inManifest }: { readonly warnings: Warning[]; readonly inManifest: () => Promise<NamedSha256 | null> },
): AsyncGenerator<Uint8Array> {
  yield* content;
  // Manifests have no checksum file: their seal says it all.
  if (kind !== 'zip') return;
  const recorded = await recordedSha256(file.path);
  if (recorded === null) {
    warnings.push({
      code: 'checksum-missing',
      message: `${basename(file.path)}.sha256 is not there; the stored bytes could not be compared with it`,
    });
  } else await compare(file, recorded, `${basename(file.path)}.sha256`);
  const named = await inManifest().catch((error: unknown) => {
    const { code, message } = asFault(error, operation);
    if (code === 'cancelled') throw error;
    // The archive is as good as it was: what cannot be read says nothing against it.
    warnings.push({ code: 'manifest', message: `the stored bytes could not be compared with their manifest: ${message}` });
    return null;
  });
  if (named !== null) await compare(file, named.sha256, basename(named.file));
}

async function compare(file: SealedFile, sha256: string, named: string): Promise<void> {
  if (sha256 === (await file.sha256())) return;
  throw new Fault('corrupt', `${file.path} is not the file that ${named} speaks of`, { operation, context: { file: file.path } });
}

async function* counted(file: SealedFile, onProgress: ReturnType<typeof progressLine>['onProgress']): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of file.content) {
    bytes += piece.length;
    onProgress({ phase: 'check', files: 0, totalFiles: 1, bytes, totalBytes: file.size, storedBytes: bytes });
    yield piece;
  }
}

async function copy(host: CliHost, content: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of content) {
    await host.stdout.write(piece);
    if (host.stdout.closed) return;
  }
}

/** By the file's ending; undefined for a name that we never gave. */
function formatOf(path: string): ArchiveFormat | undefined {
  if (path.endsWith('.zip.zst.enc')) return 'classic';
  return /\.(holdfast|manifest)$/.test(path) ? 'archive' : undefined;
}

function withoutEnding(path: string): string {
  return path.replace(/(?<=[^/])(\.holdfast|\.manifest|\.zip\.zst\.enc)$/, '');
}
