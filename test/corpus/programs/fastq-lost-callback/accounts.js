const { createServer } = require('node:http');
const { welcome } = require('./mailer.js');

createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    const { email } = JSON.parse(body);
    welcome(email);
    response.writeHead(201).end();
  });
}).listen(process.env.PORT);
