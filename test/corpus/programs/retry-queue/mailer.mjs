import { RetryQueue } from './retry-queue.mjs';

async function smtpSend(mail) {
  if (mail.to.endsWith('@mistyped.example')) throw new Error(`550 no such mailbox: ${mail.to}`);
  return { accepted: [mail.to] };
}

const retries = new RetryQueue(smtpSend);

function composeWelcome(number) {
  const domain = number % 3 === 0 ? 'mistyped.example' : 'example.com';
  return {
    to: `new-user-${number}@${domain}`,
    subject: 'Welcome aboard',
    html: `<h1>Hello ${number}</h1>${'<p>We are glad that you are here.</p>'.repeat(3)}`,
    headers: { 'x-campaign': 'welcome', 'x-number': String(number) },
  };
}

export async function sendWelcome(number) {
  const mail = composeWelcome(number);
  try {
    await smtpSend(mail);
  } catch {
    retries.push(mail);
  }
  if (number % 25 === 0) await retries.drain(10);
}
