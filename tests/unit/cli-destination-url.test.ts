import { describe, expect, it } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import { dangerOf, parseDestinationUrl, settingsAsText } from '../../main/compose/destination-url.ts';
import { s3CredentialsIn } from '../../main/compose/s3-credentials.ts';

function refusal(text: string): string {
  try {
    parseDestinationUrl(text, '/home/u');
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    expect((error as Fault).code).toBe('config-invalid');
    return (error as Fault).message;
  }
  throw new Error(`${text} was taken`);
}

describe('destination URL', () => {
  it.each([
    ['folder:/mnt/backup', '/mnt/backup'],
    ['folder:relative/place', '/home/u/relative/place'],
    ['folder:.', '/home/u'],
    ['folder:///mnt/backup', '/mnt/backup'],
    ['FOLDER:/mnt/Backup', '/mnt/Backup'],
    ['folder:/with space/100%25/a:b', '/with space/100%25/a:b'],
    ['folder:./~/x', '/home/u/~/x'],
    ['folder:/two\nlines', '/two\nlines'],
  ])('%s is the folder %s', (text, path) => {
    expect(parseDestinationUrl(text, '/home/u')).toEqual({ provider: 'folder', path });
  });

  it('hints at folder: for a plain path', () => {
    expect(refusal('/mnt/backup')).toContain('folder:/mnt/backup');
    expect(refusal('backup')).toContain('folder:backup');
    expect(refusal('C:\\backup')).toContain('folder:C:\\backup');
  });

  it('refuses memory: with the reason', () => {
    expect(refusal('memory:')).toMatch(/gone when this command ends/);
  });

  it('names the known kinds for an unknown one', () => {
    expect(refusal('ftp:host')).toMatch(/ftp:.*folder:.*s3:.*b2:.*google-drive:.*dropbox:.*destination list/);
  });

  it('refuses what would silently mean another folder', () => {
    expect(refusal('folder://nas/share')).toMatch(/names a computer/);
    expect(refusal('folder:~/backup')).toContain('"$HOME"/backup');
    expect(refusal('folder:~')).toContain('"$HOME"');
    expect(refusal('folder:')).toMatch(/no path/);
    expect(refusal('folder:/a\0b')).toMatch(/NUL/);
    expect(refusal('')).toMatch(/empty/);
  });
});

describe('destination URL of another cloud', () => {
  it.each([
    ['b2:my-bucket', { provider: 'backblaze-b2', bucket: 'my-bucket' }],
    ['b2://my-bucket/a/b/', { provider: 'backblaze-b2', bucket: 'my-bucket', prefix: 'a/b' }],
    ['google-drive:Backups/Home server', { provider: 'google-drive', folder: 'Backups/Home server' }],
    ['google-drive:/Bäckups/', { provider: 'google-drive', folder: 'Bäckups' }],
    ['dropbox:backups', { provider: 'dropbox', folder: 'backups' }],
  ])('%s', (text, settings) => {
    expect(parseDestinationUrl(text, '/home/u')).toEqual(settings);
  });

  it.each([
    'b2:',
    'b2:x',
    'b2:my_bucket',
    'b2:key@my-bucket',
    'b2:my-bucket?endpoint=x',
    'b2:my-bucket/ä',
    'google-drive:',
    'dropbox:/',
    'dropbox:../x',
    'google-drive:a\nb',
    'dropbox:a\\b',
  ])('refuses %j', (text) => {
    expect(refusal(text)).not.toBe('');
  });
});

describe('destination URL of a bucket', () => {
  it.each([
    ['s3:bucket', { bucket: 'bucket' }],
    ['s3:bucket/', { bucket: 'bucket' }],
    ['s3://bucket/a/b/', { bucket: 'bucket', prefix: 'a/b' }],
    ['s3:my.bucket/100%25 a?region=eu-central-1', { bucket: 'my.bucket', prefix: '100%25 a', region: 'eu-central-1' }],
    ['s3:b1?endpoint=https://host:9000/&path-style=true', { bucket: 'b1', endpoint: 'https://host:9000', pathStyle: true }],
    ['s3:b1?endpoint=https%3A%2F%2Fhost&path-style=false', { bucket: 'b1', endpoint: 'https://host', pathStyle: false }],
    ['s3:b1?endpoint=host.example', { bucket: 'b1', endpoint: 'https://host.example' }],
    ['s3:b1?preset=wasabi&region=eu-west-2', { bucket: 'b1', preset: 'wasabi', region: 'eu-west-2' }],
    [
      's3:b1?storage-class=STANDARD_IA&sse=aws:kms&sse-kms-key=arn:aws:kms:eu:1:key/x-1&checksums=false',
      { bucket: 'b1', storageClass: 'STANDARD_IA', sse: 'aws:kms', sseKmsKey: 'arn:aws:kms:eu:1:key/x-1', sendChecksums: false },
    ],
  ])('%s', (text, settings) => {
    expect(parseDestinationUrl(text, '/home/u')).toEqual({ provider: 's3', ...settings });
  });

  it.each([
    ['s3:', /no bucket/],
    ['s3:/key', /no bucket/],
    ['s3:b1/a//b', /prefix/],
    ['s3:b1/../x', /prefix/],
    ['s3:b1/ä', /prefix/],
    ['s3:b1?regoin=x', /regoin.*region/],
    ['s3:b1?region=eu west', /region=/],
    ['s3:b1?region=a&region=b', /twice/],
    ['s3:b1?path-style=maybe', /path-style/],
    ['s3:b1?preset=amazon', /amazon.*aws.*minio/],
    ['s3:b1?preset=minio', /minio needs endpoint/],
    ['s3:b1?preset=hetzner', /hetzner needs region/],
    ['s3:b1?sse=yes', /sse=/],
    ['s3:b1?sse-kms-key=x', /sse=aws:kms/],
    ['s3:b1?endpoint=ftp://host', /no address/],
    ['s3:b1?endpoint=https://host/b1', /more than a host/],
  ])('%s is refused', (text, reason) => {
    expect(refusal(text)).toMatch(reason);
  });

  it('takes no keys in the address and does not repeat them', () => {
    for (const text of ['s3://AKIAX:geheim@bucket', 's3:b1?endpoint=https://AKIAX:geheim@host', 's3:b1?secret-access-key=geheim']) {
      const said = refusal(text);
      expect(said).toMatch(/AWS_ACCESS_KEY_ID|knows no/);
      expect(said).not.toContain('geheim');
    }
  });

  it('says that plain http is dangerous, but not on this computer', () => {
    const danger = (endpoint: string): string => dangerOf(parseDestinationUrl(`s3:b1?endpoint=${endpoint}`, '/'));
    for (const endpoint of ['http://nas', 'http://192.168.0.9:9000', 'http://127.0.0.1.example.org', 'http://localhost.example'])
      expect(danger(endpoint)).toContain('not encrypted');
    for (const endpoint of ['https://nas', 'http://127.0.0.1:9000', 'http://127.8.8.8', 'http://localhost:1', 'http://[::1]:9'])
      expect(danger(endpoint)).toBe('');
  });

  it('goes into the recovery kit under the names of the address', () => {
    const text = settingsAsText(parseDestinationUrl('s3:b1/p?endpoint=https://host&path-style=true&sse=AES256', '/'));
    expect(text).toEqual({
      ...{ provider: 's3', bucket: 'b1', prefix: 'p', endpoint: 'https://host' },
      ...{ 'path-style': 'true', sse: 'AES256' },
    });
  });
});

describe('S3 keys in the environment', () => {
  const pair = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };

  it('are a pair, with or without a token', () => {
    expect(s3CredentialsIn(pair)).toEqual({ accessKeyId: 'id', secretAccessKey: 'secret' });
    expect(s3CredentialsIn({ ...pair, AWS_SESSION_TOKEN: 't' })).toEqual({
      accessKeyId: 'id',
      secretAccessKey: 'secret',
      sessionToken: 't',
    });
  });

  it('give way to the standard chain where there are none or a profile is named', () => {
    expect(s3CredentialsIn({})).toBe('chain');
    expect(s3CredentialsIn({ ...pair, AWS_PROFILE: 'backup' })).toBe('chain');
  });

  it('half a pair is refused, without the secret in the message, and the page that tells of keys is named', () => {
    expect(() => s3CredentialsIn({ AWS_ACCESS_KEY_ID: 'id' })).toThrow(/AWS_SECRET_ACCESS_KEY is missing/);
    expect(() => s3CredentialsIn({ AWS_SECRET_ACCESS_KEY: 'secret' })).toThrow(/^AWS_ACCESS_KEY_ID is missing; keys are a pair$/);
    expect(() => s3CredentialsIn({ AWS_ACCESS_KEY_ID: 'id' })).toThrow(
      expect.objectContaining({ context: { next: expect.stringContaining('docs/setup/s3.md') } }),
    );
  });
});
