import { z } from 'zod';
import { Fault } from '../../contract/faults.ts';

/*
 * The manifest (docs/format.md, "Manifest"): a first line about the snapshot, then one line for each entry, in walk order.
 * The first line stands in a zstd frame of its own, so that a list of snapshots reads little more than that.
 */
const warning = z.object({ code: z.string(), message: z.string(), path: z.string().exactOptional() });

const archiveSchema = z.object({
  /** Key in the destination. */
  key: z.string(),
  size: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** The first 148 bytes, base64: they repair a damaged header and show an object that was swapped. */
  head: z.string(),
  /** Bytes of the ZIP inside. */
  zipSize: z.int().nonnegative(),
  frames: z.int().nonnegative(),
});
export type ManifestArchive = Readonly<z.infer<typeof archiveSchema>>;

const firstLineSchema = z.object({
  holdfast: z.literal('manifest'),
  version: z.literal(1),
  id: z.string(),
  server: z.string(),
  slug: z.string(),
  machine: z.string(),
  host: z.string(),
  /** ISO 8601, UTC. */
  time: z.iso.datetime(),
  root: z.string(),
  preset: z.string().nullable(),
  excludes: z.array(z.string()),
  hooks: z.array(z.looseObject({ when: z.string(), command: z.string(), result: z.string() })),
  warnings: z.array(warning),
  totals: z.object({
    entries: z.int().nonnegative(),
    files: z.int().nonnegative(),
    directories: z.int().nonnegative(),
    symlinks: z.int().nonnegative(),
    bytes: z.int().nonnegative(),
  }),
  archives: z.array(archiveSchema),
  /** The ids of runs that did not end, whose volumes this one took over: no other snapshot named them. */
  takenOver: z.array(z.string()).exactOptional(),
});
export type ManifestHeader = Readonly<z.infer<typeof firstLineSchema>>;

/** What is written down of a finished volume while its run has not ended (docs/format.md, "Partial"). */
const partialSchema = firstLineSchema
  .pick({
    version: true,
    id: true,
    server: true,
    slug: true,
    machine: true,
    host: true,
    time: true,
    root: true,
    archives: true,
    takenOver: true,
  })
  .extend({ holdfast: z.literal('partial') });
export type PartialHeader = Readonly<z.infer<typeof partialSchema>>;

export const maxFirstLine = 16 * 2 ** 20;

/** A first line has room for so many, with the longest names that there are, beside the most that is told in warnings. */
export const maxArchives = 30_000;

/** The first line as it is stored, its newline included. Fault config-invalid: no reader would take one so long. */
export function firstLineOf(header: ManifestHeader | PartialHeader): Buffer {
  const line = Buffer.from(`${JSON.stringify(header)}\n`, 'utf8');
  if (line.length <= maxFirstLine) return line;
  const { length } = header.archives;
  throw new Fault('config-invalid', `the list of the snapshot would be too long to be read: it names ${length} archives`, {
    operation: 'write manifest',
    context: { next: 'Take larger volumes (--volume-size), make a whole snapshot (--whole), or leave out fewer things by name.' },
  });
}

export function parseManifestHeader(line: string, name: string): ManifestHeader {
  return parseFirstLine(firstLineSchema, line, name);
}

export function parsePartialHeader(line: string, name: string): PartialHeader {
  return parseFirstLine(partialSchema, line, name);
}

function parseFirstLine<Header>(schema: z.ZodType<Header>, line: string, name: string): Header {
  const result = schema.safeParse(parseJson(line, name));
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.') ?? '';
  throw new Fault('corrupt', `${name}: the manifest's first line is not as the format says (${where})`, {
    operation: 'read manifest',
    context: { object: name },
    cause: result.error,
  });
}

function parseJson(line: string, name: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Fault('corrupt', `${name}: a line of the manifest is no JSON`, {
      operation: 'read manifest',
      context: { object: name },
      cause,
    });
  }
}
