const express = require('express');

const app = express();
app.get('/', (_request, response) => response.send('hello from express\n'));
app.listen(Number(process.env.APP_PORT));
