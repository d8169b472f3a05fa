/**
 * Names of backups: `state-<time>-s<schema>-e<last event>-a<apps>.db`. What decides which one is taken is in the name,
 * so that choosing needs no look into the files.
 */
import type { Extent } from '../verify.ts';

export interface BackupName extends Extent {
  readonly name: string;
  readonly atMs: number;
}

const PATTERN = /^state-(\d{8}T\d{6}\.\d{3}Z)-s(\d+)-e(\d+)-a(\d+)\.db$/;

export const nameBackup = (atMs: number, { schema, seq, apps }: Extent): string =>
  `state-${timeStamp(atMs)}-s${schema}-e${seq}-a${apps}.db`;

/** Null for any other file. */
export function parseBackupName(name: string): BackupName | null {
  const [, at, schema, seq, apps] = PATTERN.exec(name) ?? [];
  if (at === undefined) return null;
  const iso = at.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(.*)$/, '$1-$2-$3:$4:$5');
  const atMs = Date.parse(iso);
  return Number.isNaN(atMs) ? null : { name, atMs, schema: Number(schema), seq: Number(seq), apps: Number(apps) };
}

/** The furthest first. The clock may have been changed meanwhile, so it only decides between equals. */
export const byExtent = (a: BackupName, b: BackupName): number => b.seq - a.seq || b.atMs - a.atMs;

/** UTC, without what file systems and shells dislike; sorts by time. */
export const timeStamp = (atMs: number): string => new Date(atMs).toISOString().replaceAll(/[-:]/g, '');
