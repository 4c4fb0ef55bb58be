/**
 * Checks the types of everything, then each room with only what it may see: a wall that lint missed is an error here as well
 * (TS6307, or a type that the room does not have).
 */
import { spawnSync } from 'node:child_process';
import { join, sep } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '..');

interface Project {
  readonly config: string;
  /** The room whose files are judged, from the root. Those that it may import are judged in a project of their own. */
  readonly room?: string;
}

/** tsconfig.json: everything. The others: a room with the rooms that it may import. */
const projects: readonly Project[] = [
  { config: 'tsconfig.json' },
  ...['contract', 'engine', 'adapters', 'compose', 'headless', 'electron'].map((name) => ({
    config: `tsconfig.${name}.json`,
    room: join('main', name),
  })),
  { config: 'tsconfig.preload.json', room: 'preload' },
];

/** The page has markup, which only Svelte's own checker reads. */
const page = [
  join(root, 'node_modules', 'svelte-check', 'bin', 'svelte-check'),
  '--tsconfig',
  'renderer/tsconfig.json',
  '--fail-on-warnings',
];

const formatHost: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => root,
  getNewLine: () => '\n',
};

/**
 * Read and parsed once for all projects, as their options differ in nothing that a parser looks at. Eight processes that each read
 * TypeScript's library, Node's types and the engine took 80 s of processor time, and this one takes 30.
 */
const parsed = new Map<string, ts.SourceFile | undefined>();

function hostOf(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createIncrementalCompilerHost(options);
  const parse = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) => {
    if (!parsed.has(name)) parsed.set(name, parse(name, ...rest));
    return parsed.get(name);
  };
  return host;
}

/** What is wrong with a project; of the files with those of its own room only. */
function diagnosticsOf({ config, room }: Project): readonly ts.Diagnostic[] {
  const unreadable: ts.Diagnostic[] = [];
  const read = ts.getParsedCommandLineOfConfigFile(join(root, config), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => unreadable.push(diagnostic),
  });
  if (read === undefined) return unreadable;
  const { fileNames: rootNames, options, errors } = read;
  const program = ts.createProgram({ rootNames, options, configFileParsingDiagnostics: errors, host: hostOf(options) });
  const ofProject = [...program.getConfigFileParsingDiagnostics(), ...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()];
  if (room === undefined) return [...ofProject, ...program.getSyntacticDiagnostics(), ...program.getSemanticDiagnostics()];
  const inRoom = join(root, room).replaceAll(sep, '/') + '/';
  const files = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(inRoom));
  if (files.length === 0) throw new Error(`${config} holds no file of ${room}: it would pass whatever is in there`);
  return [...ofProject, ...files.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])];
}

/** Says what is wrong with it. */
function isClean(project: Project): boolean {
  const diagnostics = ts.sortAndDeduplicateDiagnostics(diagnosticsOf(project));
  if (diagnostics.length === 0) return true;
  process.stdout.write(`${ts.formatDiagnostics(diagnostics, formatHost)}${project.config} is not clean.\n`);
  return false;
}

// Stops at the first that is not clean: the next ones would mostly repeat it.
const allClean =
  projects.every(isClean) && spawnSync(process.execPath, [...page, '--output', 'human'], { cwd: root, stdio: 'inherit' }).status === 0;
process.exitCode = allClean ? 0 : 1;
