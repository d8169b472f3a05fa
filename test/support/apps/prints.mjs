/**
 * Prints numbered lines to stdout, each call of console.log one line of about 100 bytes. What to do is in the folder
 * CONTROL: with RATE, so many bytes a second; with ROUND_LINES, so many lines as fast as it can each time a file
 * `go-<name>-<round>` appears, answered by `done-<name>-<round>` with the milliseconds it took, by the clock and of CPU;
 * else as fast as it can. With START=1 not before there is a file `start`. Ends printing when there is a file `stop`,
 * and says in `count-<name>` how many lines there were.
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const control = process.env.CONTROL ?? '.';
const name = process.env.PRINTER ?? process.env.NODE_APP_INSTANCE ?? '0';
const rate = Number(process.env.RATE ?? 0);
const roundLines = Number(process.env.ROUND_LINES ?? 0);
const filler = 'x'.repeat(80);
const LINE_BYTES = 100;
let count = 0;

const print = (lines) => {
  for (let i = 0; i < lines; i += 1) {
    console.log(`${name} ${String(count).padStart(12, '0')} ${filler}`);
    count += 1;
  }
};
const tell = (file, text) => {
  writeFileSync(join(control, `${file}.new`), text);
  renameSync(join(control, `${file}.new`), join(control, file));
};
const shouldStop = () => existsSync(join(control, 'stop'));
const idle = () => setInterval(() => {}, 60_000);

let round = 0;
const waitForRound = () => {
  if (existsSync(join(control, `go-${name}-${round}`))) {
    const startedAt = performance.now();
    const before = process.cpuUsage();
    print(roundLines);
    const { user, system } = process.cpuUsage(before);
    const wallMs = performance.now() - startedAt;
    tell(`done-${name}-${round}`, JSON.stringify({ wallMs, cpuMs: (user + system) / 1000 }));
    round += 1;
  }
  setTimeout(waitForRound, 5);
};

let startedAt = performance.now();
const flood = () => {
  const due = rate > 0 ? ((performance.now() - startedAt) / 1000) * (rate / LINE_BYTES) - count : 1000;
  print(Math.max(0, Math.floor(due)));
  if (shouldStop()) {
    tell(`count-${name}`, String(count));
    idle();
  } else if (rate > 0) setTimeout(flood, 20);
  else setImmediate(flood);
};

const waitForStart = () => {
  if (existsSync(join(control, 'start'))) {
    startedAt = performance.now();
    flood();
  } else setTimeout(waitForStart, 20);
};

if (roundLines > 0) waitForRound();
else if (process.env.START === '1') waitForStart();
else flood();
