/** Asks one port for many different paths, which nothing could take for ids, over one pipelined connection. */
import { connect } from 'node:net';
import { once } from 'node:events';

const IN_FLIGHT = 50;

/** Resolves with how many were answered with 200. */
export const askManyPaths = async (port: number, count: number): Promise<number> => {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let asked = 0;
  let answered = 0;
  let rest = '';
  const ask = (): void => {
    let text = '';
    for (; asked < count && asked - answered < IN_FLIGHT; asked++)
      text += `GET /${wordOf(asked)} HTTP/1.1\r\nHost: here\r\n\r\n`;
    if (text !== '') socket.write(text);
  };
  const done = new Promise<void>((resolve) => {
    socket.on('error', () => resolve()).on('close', () => resolve());
    socket.on('data', (bytes: Buffer) => {
      const parts = (rest + bytes.toString('latin1')).split('HTTP/1.1 200');
      answered += parts.length - 1;
      rest = (parts.at(-1) ?? '').slice(-12);
      if (answered === count) socket.end();
      else ask();
    });
  });
  ask();
  await done;
  return answered;
};

/** Letters alone. */
const wordOf = (number: number): string =>
  number.toString(26).replaceAll(/./g, (digit) => String.fromCharCode(97 + Number.parseInt(digit, 26)));
