const { createServer } = require('node:http');
const { Tail } = require('./tail.js');

const tails = new Map(['import', 'export', 'index'].map((job) => [job, new Tail()]));

createServer((request, response) => {
  const [, job, number] = request.url.split('/');
  const tail = tails.get(job);
  for (let line = 0; line < 6; line++) tail.write(`${job} ${number}: line ${line} of what it did, which took a while`);
  response.end(tail.toString().slice(-200));
}).listen(process.env.PORT);
