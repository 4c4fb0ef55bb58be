import { setupPage } from '../adapters/storage/s3/meanings.ts';
import type { S3Credentials } from '../adapters/storage/s3/settings.ts';
import { Fault } from '../contract/faults.ts';

/**
 * The keys in the environment, else the AWS tools' standard chain. A profile asked for by name wins, as with those tools. Half a pair is
 * fault config-invalid: the chain would go on and find other keys than were meant.
 */
export function s3CredentialsIn(env: Readonly<Record<string, string | undefined>>): S3Credentials {
  const given = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  if (given('AWS_PROFILE') !== undefined) return 'chain';
  const accessKeyId = given('AWS_ACCESS_KEY_ID');
  const secretAccessKey = given('AWS_SECRET_ACCESS_KEY');
  if (accessKeyId === undefined && secretAccessKey === undefined) return 'chain';
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const name = accessKeyId === undefined ? 'AWS_ACCESS_KEY_ID' : 'AWS_SECRET_ACCESS_KEY';
    throw new Fault('config-invalid', `${name} is missing; keys are a pair`, {
      operation: 'read the keys',
      context: { next: `Give both keys of the pair; ${setupPage} says where they come from.` },
    });
  }
  const sessionToken = given('AWS_SESSION_TOKEN');
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}
