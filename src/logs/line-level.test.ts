import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lineLevel } from './line-level.ts';

const levels = (lines: readonly string[], stream: 'stdout' | 'stderr' = 'stdout'): number[] =>
  lines.map((line) => lineLevel(line, stream));

describe('the level of a line', () => {
  it('is what JSON loggers say: pino and bunyan in numbers, winston and others in words', () => {
    assert.deepEqual(
      levels([
        '{"level":30,"time":1716200000000,"pid":1,"hostname":"h","msg":"pino"}',
        '{"name":"bunyan","hostname":"h","pid":1,"level":50,"msg":"no","time":"2026-05-20T10:00:00.000Z","v":0}',
        '{"level":"warn","message":"winston","timestamp":"2026-05-20T10:00:00.000Z"}',
        '{"message":"npm level","level":"silly"}',
        '{"level":"\\u001b[31merror\\u001b[39m","message":"colourful winston"}',
        '{"severity":"CRITICAL","message":"Google"}',
        '{"@timestamp":"2026-05-20T10:00:00.000Z","log.level":"debug","message":"ECS"}',
        '{"version":"1.1","level":3,"short_message":"GELF"}',
        '{"level":35,"msg":"a level of its own"}',
        '{"level":"INFO"}',
      ]),
      [30, 50, 40, 10, 50, 60, 20, 50, 35, 30],
    );
  });

  it('is the word where loggers put it in text', () => {
    assert.deepEqual(
      levels([
        'error: winston simple',
        '[2026-05-20 10:00:00.123] [warn] log4js',
        '2026-05-20T10:00:00.000Z DEBUG (shop/1): pino-pretty',
        '[10:00:00.000] \u001b[32mINFO\u001b[39m (1): coloured',
        'shop ERROR no such thing',
        'time="2026-05-20T10:00:00Z" level=warning msg=logfmt',
        'TypeError: x is not a function',
        '<fatal> gone',
      ]),
      [50, 40, 20, 30, 50, 40, 50, 60],
    );
  });

  it('is no word of the text itself', () => {
    assert.deepEqual(
      levels(['no error was found', 'GET /error 200', 'informal', 'infos', 'errors: 0']),
      [30, 30, 30, 30, 30],
    );
  });

  it('is info without one, and error on stderr', () => {
    const lines = ['plain', '', '{"msg":"no level"}', '{"level":', '{"level":"loud"}', '{"level":null}', '[]'];
    assert.deepEqual(
      levels(lines),
      lines.map(() => 30),
    );
    assert.deepEqual(
      levels(lines, 'stderr'),
      lines.map(() => 50),
    );
    assert.deepEqual(levels(['info: on stderr', '{"level":20}'], 'stderr'), [30, 20]);
  });
});
