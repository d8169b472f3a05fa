import { Cron } from 'croner';

const outbox = { count: 0, last: '' };

function send({ name, recipients }) {
  outbox.count += recipients.length;
  outbox.last = name;
}

export async function subscribe(n) {
  const report = {
    name: `sales-${n}`,
    recipients: [`boss${n}@example.com`, 'archive@example.com'],
    columns: 'id,sum,tax'.split(','),
  };
  new Cron('0 7 * * *', { unref: true }, () => send(report));
  return outbox.count;
}
