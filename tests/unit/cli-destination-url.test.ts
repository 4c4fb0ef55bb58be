import { describe, expect, it } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import { parseDestinationUrl } from '../../main/headless/destination-url.ts';

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
    expect(refusal('s3:bucket')).toMatch(/s3:.*folder:.*name.*later/);
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
