import { Agent, request } from 'node:http';

export function requestJson(port, path) {
  const agent = new Agent({ keepAlive: true });
  return new Promise((resolve, reject) => {
    const call = request({ agent, port, path, host: '127.0.0.1' }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve(JSON.parse(text)));
    });
    call.on('error', reject);
    call.end();
  });
}
