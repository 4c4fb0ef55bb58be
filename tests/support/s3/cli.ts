import { join } from 'node:path';
import { expect } from 'vitest';
import { runCli, type CliOptions, type CliRun } from '../run-cli.ts';
import { plainClient } from './destinations.ts';
import { swiftKeys } from './swift.ts';

export interface S3Cli {
  run(args: readonly string[], options?: CliOptions): Promise<CliRun>;
  /** What the command prints with `--json`; it must end well and tell nothing else. */
  json<T>(args: readonly string[], options?: CliOptions): Promise<T>;
  /** Keys of the uploads in parts that are neither completed nor aborted. */
  openUploads(endpoint: string, bucket: string): Promise<readonly string[]>;
}

/** The real command with the test server's keys, its state below `base`, and nothing of this computer's own. */
export function s3Cli(base: string): S3Cli {
  const run: S3Cli['run'] = (args, options = {}) =>
    runCli(args, {
      ...options,
      cwd: base,
      env: {
        HOLDFAST_PASSWORD: 'correct horse battery',
        HOLDFAST_STATE_DIR: join(base, 'state'),
        AWS_ACCESS_KEY_ID: swiftKeys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: swiftKeys.secretAccessKey,
        AWS_PROFILE: '',
        // A machine that asks a cloud for keys must not do so here.
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_CONFIG_FILE: join(base, 'none'),
        AWS_SHARED_CREDENTIALS_FILE: join(base, 'none'),
        ...options.env,
      },
    });
  return {
    run,
    async json<T>(args: readonly string[], options?: CliOptions) {
      const { code, stdout, stderr } = await run([...args, '--json'], options);
      expect([args[0], code, stderr, code === 0 ? '' : stdout]).toEqual([args[0], 0, '', '']);
      return JSON.parse(stdout) as T;
    },
    async openUploads(endpoint, bucket) {
      const s3 = plainClient(endpoint);
      const { Uploads } = await s3.listMultipartUploads({ Bucket: bucket });
      s3.destroy();
      return (Uploads ?? []).map(({ Key }) => Key ?? '');
    },
  };
}
