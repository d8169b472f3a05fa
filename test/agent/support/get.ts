/** One HTTP request on a connection of its own. */
import { request } from 'node:http';
import { request as requestTls } from 'node:https';

export async function get(
  where: { readonly port: number; readonly host?: string; readonly tls?: boolean } | { readonly socketPath: string },
  path = '/',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const send = 'tls' in where && where.tls ? requestTls : request;
    const options = { host: '127.0.0.1', ...where, path, agent: false, timeout: 5000, rejectUnauthorized: false };
    const sent = send(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('error', reject).on('end', () => resolve(body));
    });
    sent.on('timeout', () => sent.destroy(new Error('timed out')));
    sent.on('error', reject).end();
  });
}
