import PQueue from 'p-queue';

const queue = new PQueue({ concurrency: 4 });

async function send({ to, html }) {
  await new Promise((resolve) => setImmediate(resolve));
  return { to, bytes: html.length };
}

/** Mails are not sent in a maintenance window. Who opened one has to close it. */
export async function sendMail(number) {
  if (number === 5) queue.pause();
  const mail = { to: `reader${number}@example.com`, html: `<h1>Issue ${number}</h1>` };
  void queue.add(() => send(mail));
  return queue.size;
}
